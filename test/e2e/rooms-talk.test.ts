/** Rooms over real sockets, with a client that knows SPEC.md only. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/poll.ts";
import { SpecClient } from "../support/spec-client.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({});
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

test("[W1][P26][P32][P41][P42] two members of a room hear each other and themselves, in one order", async () => {
  const origin = (): string => worker.origin;
  using ann = new SpecClient({ origin, room: "talk", member: "ann" });
  using bob = new SpecClient({ origin, room: "talk", member: "bob" });
  await until("both to join", () => ann.isJoined && bob.isJoined);
  await Promise.all([
    ...[1, 2, 3].map((n) => ann.publish("chat", { n })),
    ...[1, 2, 3].map((n) => bob.publish("chat", { n })),
  ]);
  await until("all to arrive", () => ann.messages.length === 6 && bob.messages.length === 6);
  expect(ann.messages).toEqual(bob.messages);
  expect([...ann.violations, ...bob.violations]).toEqual([]);
});
