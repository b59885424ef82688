/** One tab of a group, in a browser whose locks and channels a test holds in its hand. */
import { afterEach, expect, test, vi } from "vitest";
import { contextOf } from "../../../src/client/context.ts";
import { Group } from "../../../src/client/tabs/group.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

function open() {
  const page = new EventTarget();
  /** By name, what the browser calls when it gives a lock. */
  const waiting = new Map<string, () => Promise<void>>();
  const channels = new Map<string, { readonly said: unknown[]; isClosed: boolean }>();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("navigator", {
    locks: {
      request: (name: string, _: unknown, held: () => Promise<void>) =>
        new Promise<void>((done) => {
          waiting.set(name, async () => {
            await held();
            done();
          });
        }),
    },
  });
  vi.stubGlobal(
    "BroadcastChannel",
    class {
      readonly #state = { said: [] as unknown[], isClosed: false };
      constructor(name: string) {
        channels.set(name, this.#state);
      }
      postMessage(message: unknown): void {
        if (this.#state.isClosed) throw new Error("The channel is closed.");
        this.#state.said.push(message);
      }
      addEventListener(): void {}
      close(): void {
        this.#state.isClosed = true;
      }
    },
  );
  const clock = new FakeClock();
  const retired = vi.fn<() => void>();
  const group = new Group(contextOf({ url: "http://sluice.test", clock }), {
    name: "group",
    surface: { name: "topic", make: () => expect.unreachable("nobody asks for anything") },
    meaning: "",
    retired,
  });
  /** Gives a lock, and says whether the tab gives it back at once. */
  const give = async (lock: (name: string) => boolean): Promise<boolean> => {
    let isBack = false;
    const [name, held] = [...waiting].find(([one]) => lock(one)) ?? [];
    if (name === undefined || held === undefined) throw new Error("Nobody waits for it.");
    waiting.delete(name);
    void held().then(() => {
      isBack = true;
    });
    await settle();
    return isBack;
  };
  return { page, channels, clock, group, retired, give };
}

test("[S7][I7] a tab that is given the lead when it has left gives it back, and says nothing", async () => {
  const { page, channels, clock, retired, give } = open();
  const isLead = (name: string): boolean => name === "group leader";
  expect(await give((name) => !isLead(name))).toBe(false);
  page.dispatchEvent(new Event("pagehide"));
  expect(retired).toHaveBeenCalledTimes(1);
  // The browser had given it already: it could not be called off any more.
  expect(await give(isLead)).toBe(true);
  expect([...channels.values()]).toEqual([
    { said: [], isClosed: true },
    { said: [], isClosed: true },
  ]);
  expect(clock.armed).toBe(0);
});

test("[S7][I7] a tab that has left leaves no timer, whatever it read", async () => {
  const { page, clock, group, give } = open();
  await give((name) => name !== "group leader");
  await give((name) => name === "group leader");
  const link = {
    id: "link",
    fail: () => {
      group.leave(link as never);
    },
    sit: () => {},
    follow: () => "kept",
  };
  await group.enter(link as never);
  page.dispatchEvent(new Event("freeze"));
  expect(clock.armed).toBe(0);
});
