/** Who follows a log: what each is handed, and when it is given up. */
import { expect, test } from "vitest";
import type { Push, PushAnswer } from "../../../durable-objects/replica/feed.ts";
import { Followers } from "../../../durable-objects/replica/followers.ts";
import { MAX_PUSH_FAILURES, MAX_PUSH_PAUSE_MS } from "../../../durable-objects/replica/limits.ts";
import { openLog } from "../../../durable-objects/log/log.ts";
import { MemorySql } from "../../support/memory-sql.ts";
import { StillClock } from "../../support/still-clock.ts";

interface Call {
  readonly name: string;
  readonly push: Push;
  readonly answer: (answer: PushAnswer) => void;
  readonly fail: () => void;
}

function scene() {
  const sql = new MemorySql();
  const clock = new StillClock();
  const log = openLog(sql, { clock, random: () => 0.5, retention: {} });
  const calls: Call[] = [];
  const reported: unknown[] = [];
  let pauses = 0;
  const open = (): Followers =>
    new Followers({
      log,
      clock,
      random: () => 0.5,
      push: async (name, push) =>
        await new Promise<PushAnswer>((resolve, reject) => {
          calls.push({
            name,
            push,
            answer: resolve,
            fail: () => {
              reject(new Error("away"));
            },
          });
        }),
      onPause: () => {
        pauses += 1;
      },
      report: (error) => reported.push(error),
    });
  const append = (count = 1): void => {
    log.append({ entries: new Uint8Array(count), count, ids: "" });
  };
  return { log, clock, calls, reported, open, append, pauses: () => pauses };
}

/** Lets promises have their turns. */
const settle = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

test("[E3] while a push is on its way, what comes gathers, and goes in one", async () => {
  const { calls, open, append } = scene();
  const followers = open();
  followers.add("a");
  append();
  followers.tell();
  for (let n = 0; n < 10; n += 1) {
    append();
    followers.tell();
  }
  expect(calls).toHaveLength(1);
  calls[0]?.answer({ kind: "following", seq: 1 });
  await settle();
  expect(calls).toHaveLength(2);
  expect(calls[1]?.push.page).toMatchObject({ kind: "page", first: 2, count: 10 });
  calls[1]?.answer({ kind: "following", seq: 11 });
  await settle();
  expect(calls).toHaveLength(2);
});

test("[E3] who says that it has less is handed what it lacks", async () => {
  const { calls, open, append } = scene();
  append(5);
  const followers = open();
  followers.add("a");
  append();
  followers.tell();
  calls[0]?.answer({ kind: "following", seq: 0 });
  await settle();
  expect(calls[1]?.push.page).toMatchObject({ first: 1, count: 6 });
});

test("[E3][I1] who follows is known after a sleep, and asked once what it has", async () => {
  const { calls, open, append } = scene();
  append(3);
  open().add("a");
  const woken = open();
  expect(woken.names).toEqual(["a"]);
  expect(calls).toHaveLength(0);
  woken.tell();
  expect(calls[0]).toMatchObject({ name: "a", push: { page: { count: 0 } } });
  // What was published before the sleep, it was not handed.
  calls[0]?.answer({ kind: "following", seq: 1 });
  await settle();
  expect(calls[1]?.push.page).toMatchObject({ count: 3 });
  calls[1]?.answer({ kind: "following", seq: 3 });
  await settle();
  woken.tell();
  expect(calls).toHaveLength(2);
});

test("[E3][I7] who is idle is let go, unless it has asked again meanwhile", async () => {
  const { calls, open, append } = scene();
  const followers = open();
  followers.add("a");
  append();
  followers.tell();
  // Its answer was on its way when somebody came to it.
  followers.add("a");
  calls[0]?.answer({ kind: "idle" });
  await settle();
  expect(followers.names).toEqual(["a"]);
  expect(calls).toHaveLength(2);
  calls[1]?.answer({ kind: "idle" });
  await settle();
  expect(followers.names).toEqual([]);
  expect(open().names).toEqual([]);
});

test("[E3][B3] who cannot be reached is tried again later and later, and in the end left alone until it asks", async () => {
  const { clock, calls, open, append, reported, pauses } = scene();
  const followers = open();
  followers.add("a");
  append();
  followers.tell();
  const waits: number[] = [];
  for (let failure = 1; failure < MAX_PUSH_FAILURES; failure += 1) {
    calls.at(-1)?.fail();
    await settle();
    const next = followers.nextTryAt ?? Number.NaN;
    waits.push(next - clock.time);
    followers.tell();
    expect(calls).toHaveLength(failure);
    clock.time = next;
    followers.tell();
    expect(calls).toHaveLength(failure + 1);
  }
  expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  expect(Math.max(...waits)).toBeLessThanOrEqual(MAX_PUSH_PAUSE_MS);
  expect(pauses()).toBe(MAX_PUSH_FAILURES - 1);
  calls.at(-1)?.fail();
  await settle();
  // It may have readers, of whom some may lose their right to read.
  expect(followers.names).toEqual(["a"]);
  expect(followers.nextTryAt).toBeUndefined();
  expect(reported).toHaveLength(1);
  followers.tell();
  expect(calls).toHaveLength(MAX_PUSH_FAILURES);
  followers.add("a");
  expect(calls).toHaveLength(MAX_PUSH_FAILURES + 1);
});

test("[E3] who asks while it is waited for is reachable again", async () => {
  const { calls, open, append } = scene();
  const followers = open();
  followers.add("a");
  append();
  followers.tell();
  calls[0]?.fail();
  await settle();
  followers.add("a");
  expect(calls).toHaveLength(2);
});

test("[E3][I4] what is forgotten is told although nothing is new", async () => {
  const { log, calls, open, append } = scene();
  const followers = open();
  followers.add("a");
  append();
  append();
  followers.tell();
  calls[0]?.answer({ kind: "following", seq: 2 });
  await settle();
  log.forget(1);
  followers.tell();
  expect(calls[1]?.push).toMatchObject({ head: 2, page: { count: 0 } });
});
