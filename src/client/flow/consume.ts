/** Owns reading an inbox by callback. Refuses to know what is read. */
import type { Paced } from "../paced.ts";
import type { Unsubscribe } from "../state.ts";
import { throwLater } from "../store.ts";
import type { Items } from "./inbox.ts";

/**
 * Calls `take` with each item, one after the other.
 *
 * @param begun told at once what resolves when it has had the last one.
 */
export function subscribe<Item>(
  source: { read(): Items<Item> },
  take: ((item: Item) => void | Promise<void>) & Partial<Pick<Paced<Item>, "settled">>,
  begun: (taking: Promise<void>) => void = () => {},
): Unsubscribe {
  const items = source.read();
  const run = async (): Promise<void> => {
    for await (const item of items) {
      try {
        await take(item);
      } catch (error) {
        throwLater(error);
      }
    }
  };
  // How it ended is told by the state.
  const taking = run().catch(() => {});
  begun(taking.then(() => take.settled?.()));
  return () => {
    void items.return();
  };
}
