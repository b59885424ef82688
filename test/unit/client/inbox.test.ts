import { expect, test } from "vitest";
import { subscribe } from "../../../src/client/flow/consume.ts";
import { Inbox, type InboxEvents } from "../../../src/client/flow/inbox.ts";
import { BoundedInbox } from "../../../src/client/room/bounded-inbox.ts";
import { settle } from "../../support/fake-clock.ts";

function makeInbox(more: Partial<InboxEvents<number>> = {}) {
  const told: string[] = [];
  const inbox = new Inbox<string, number>({
    consumed: (mark) => {
      told.push(String(mark));
    },
    start: () => {
      told.push("start");
    },
    rest: () => {
      told.push("rest");
    },
    ...more,
  });
  return { inbox, told };
}

test("[B1] an item is consumed when its reader asks for the next, or leaves", async () => {
  const { inbox, told } = makeInbox();
  const iterator = inbox.read();
  inbox.push(["a"], 1);
  inbox.push(["b"], 2);
  expect(await iterator.next()).toEqual({ done: false, value: "a" });
  expect(told).toEqual(["start"]);
  await iterator.next();
  expect(told).toEqual(["start", "1"]);
  await iterator.return();
  expect(told).toEqual(["start", "1", "2", "rest"]);
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test("[B1] the slowest reader decides what is consumed", async () => {
  const { inbox, told } = makeInbox();
  const quick: string[] = [];
  let release = (): void => {};
  subscribe(inbox, (item) => {
    quick.push(item);
  });
  const leave = subscribe(
    inbox,
    () =>
      new Promise<void>((resolve) => {
        release = resolve;
      }),
  );
  for (const [index, item] of ["a", "b", "c"].entries()) inbox.push([item], index + 1);
  await settle();
  expect([quick, told]).toEqual([["a", "b", "c"], ["start"]]);
  release();
  await settle();
  expect(told).toEqual(["start", "1"]);
  leave();
  expect(told).toEqual(["start", "1", "2", "3"]);
});

test("[I7] leaving ends a read that waits, and calls that do not wait are answered in turn", async () => {
  const { inbox } = makeInbox();
  const iterator = inbox.read();
  const reads = [iterator.next(), iterator.next(), iterator.next()];
  inbox.push(["a"], 1);
  await settle();
  await iterator.return();
  expect(await Promise.all(reads)).toEqual([
    { done: false, value: "a" },
    { done: true, value: undefined },
    { done: true, value: undefined },
  ]);
});

test("[I7] a reader leaves when what it reads from fails, and holds up nobody", async () => {
  const { inbox, told } = makeInbox({
    consumed: (mark) => {
      if (mark === 1) throw new Error("the line is broken");
    },
  });
  const iterator = inbox.read();
  inbox.push(["a"], 1);
  await iterator.next();
  await expect(iterator.next()).rejects.toThrow("the line is broken");
  expect(told).toEqual(["start", "rest"]);
  const another = inbox.read();
  inbox.push(["b"], 2);
  expect((await another.next()).value).toBe("b");
  expect(told).toEqual(["start", "rest", "start"]);
  await another.return();
});

test("[I6] an end by an error is thrown once, after all that came", async () => {
  const { inbox } = makeInbox();
  inbox.push(["a"], 1);
  inbox.finish(new Error("broken"));
  const iterator = inbox.read();
  expect((await iterator.next()).value).toBe("a");
  await expect(iterator.next()).rejects.toThrow("broken");
  expect((await iterator.next()).done).toBe(true);
});

test("[B1][I5] rewinding keeps what was begun, whole, and forgets the rest", async () => {
  const { inbox } = makeInbox();
  inbox.push(["a1", "a2", "a3"], 1);
  inbox.push(["b"], 2);
  const reader = inbox.read();
  expect((await reader.next()).value).toBe("a1");
  expect(inbox.rewind()).toBe(1);
  inbox.push(["c"], 3);
  const rest = [await reader.next(), await reader.next(), await reader.next()];
  expect(rest.map(({ value }) => value)).toEqual(["a2", "a3", "c"]);
  expect(inbox.rewind()).toBe(3);
  // Asking for another is being done with this one.
  void reader.next();
  await settle();
  expect(inbox.rewind()).toBeUndefined();
  await reader.return();
});

test("[B1][I5] what came at once is consumed as a whole: a reader that leaves within it leaves all of it", async () => {
  const { inbox, told } = makeInbox();
  inbox.push([], 1);
  inbox.push(["a1", "a2"], 2);
  const first = inbox.read();
  expect((await first.next()).value).toBe("a1");
  // What says nothing is consumed in its turn.
  expect(told).toEqual(["start", "1"]);
  await first.return();
  const second = inbox.read();
  expect([(await second.next()).value, (await second.next()).value]).toEqual(["a1", "a2"]);
  await second.return();
  expect(told).toEqual(["start", "1", "rest", "start", "2", "rest"]);
});

test("[I5] while nobody reads only so much is kept, and what went is said to who comes", async () => {
  const told: string[] = [];
  const inbox = new BoundedInbox<string, number>({
    consumed: (mark) => {
      told.push(String(mark));
    },
    start: () => {},
    isTooMuch: (count) => count > 2,
    replaceLost: (first, last) => `${String(first)}-${String(last)} lost`,
  });
  for (const [index, item] of ["a", "b", "c", "d"].entries()) inbox.push([item], index + 1);
  expect(told).toEqual(["1", "2"]);
  const iterator = inbox.read();
  const items = [await iterator.next(), await iterator.next(), await iterator.next()];
  expect(items.map(({ value }) => value)).toEqual(["1-2 lost", "c", "d"]);
});

test("[I3] what needs time keeps its place, and what is rewound meanwhile does not come", async () => {
  const { inbox, told } = makeInbox();
  const given: string[] = [];
  subscribe(inbox, (item) => {
    given.push(item);
  });
  inbox.push(["a"], 1);
  const late = Promise.withResolvers<readonly string[]>();
  inbox.push(late.promise, 2);
  inbox.push(["c"], 3);
  await settle();
  expect(given).toEqual(["a"]);
  expect(told).toEqual(["start", "1"]);
  late.resolve(["b"]);
  await settle();
  expect(given).toEqual(["a", "b", "c"]);
  const forgotten = Promise.withResolvers<readonly string[]>();
  inbox.push(forgotten.promise, 4);
  expect(inbox.rewind()).toBeUndefined();
  inbox.push(["e"], 4);
  forgotten.resolve(["d"]);
  await settle();
  expect(given).toEqual(["a", "b", "c", "e"]);
});

test("[I6][I7] an end waits for what needs time, a close does not", async () => {
  for (const end of ["finish", "close"] as const) {
    const { inbox } = makeInbox();
    const late = Promise.withResolvers<readonly string[]>();
    inbox.push(late.promise, 1);
    const read = inbox.read().next();
    await settle();
    inbox[end]();
    await settle();
    late.resolve(["a"]);
    const value = end === "finish" ? "a" : undefined;
    expect(await read).toEqual({ done: end === "close", value });
  }
});
