/**
 * Owns whether a surface reads over a connection that all tabs of the browser share, and the wait for the
 * code that does it, which is loaded by the first page that needs it. Refuses to know how tabs share.
 */
import type { Context } from "./context.ts";
import type { Link, Transport } from "./transport.ts";

/** Milliseconds that the code may take to come; without it, a tab has connections of its own. */
const LOAD_MS = 4_000;

/** What tabs can share. */
export type SharedSurface = "topic" | "room" | "chat";

/**
 * The transport that shares, where it is wanted and possible; otherwise the direct one. Nothing is loaded
 * before something is opened, and nothing ever outside of pages.
 *
 * @param load loads the code, and makes the transport with it.
 */
export function sharedByTabs<Resume, Event, Command>(
  { options, clock }: Context,
  surface: SharedSurface,
  name: string,
  direct: Transport<Resume, Event, Command>,
  load: () => Promise<Transport<Resume, Event, Command>>,
): Transport<Resume, Event, Command> {
  const { share = true } = options;
  const isWanted = typeof share === "function" ? share(surface, name) : share;
  // Pages have one; nothing else has tabs.
  if (!isWanted || !("document" in globalThis)) return direct;
  return {
    open(attempt, observer) {
      let link: Link<Command> | undefined;
      let isOver = false;
      const open = (transport = direct): void => {
        callOff();
        if (!isOver) link ??= transport.open(attempt, observer);
      };
      const callOff = clock.after(LOAD_MS, open);
      // Not kept by us: a page that was offline may have it the next time.
      load().then(open, () => {
        open();
      });
      return {
        send(command) {
          link?.send(command);
        },
        probe() {
          link?.probe();
        },
        close() {
          isOver = true;
          callOff();
          link?.close();
        },
      };
    },
  };
}
