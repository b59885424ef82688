/** Nobody says anything for a while (I1). */
import { expect, test } from "vitest";
import { note } from "../support/note.ts";
import { until } from "../support/until.ts";
import { SpecClient } from "../support/spec-client.ts";
import { startWorker } from "../support/start-worker.ts";

/** The runtime lets an object go after ten seconds without events. */
const BEATS = 13;

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

async function readStats(origin: string, room: string): Promise<Record<string, number>> {
  const response = await fetch(`${origin}/v1/rooms/${room}/stats`);
  return (await response.json()) as Record<string, number>;
}

test("[I1][W2] a room of idle members and a viewer sleeps while their heartbeats are answered", async () => {
  await using worker = await startWorker({});
  const origin = (): string => worker.origin;
  const room = "quiet";
  using ann = new SpecClient({ origin, room, member: "ann", state: "here" });
  using bob = new SpecClient({ origin, room, member: "bob", state: [1] });
  await until("both to join", () => ann.isJoined && bob.isJoined);
  const controller = new AbortController();
  const viewer = await fetch(`${worker.origin}/v1/rooms/${room}/events`, {
    signal: controller.signal,
  });
  let viewed = "";
  const viewing = (async () => {
    const text = (viewer.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream());
    for await (const part of text) viewed += part;
  })().catch(() => {});
  await ann.publish("chat", "before");
  await until("all to hear", () => bob.messages.length === 1 && viewed.includes("before"));
  await until("the presence to be told", () => ann.count === 2 && bob.count === 2);
  const before = await readStats(worker.origin, room);
  // Nothing but heartbeats from here: whatever else reaches the object would wake it.
  for (let beat = 1; beat <= BEATS; beat += 1) {
    await pause(1_000);
    for (const client of [ann, bob]) client.ping();
    await until("the pongs", () => ann.pongs >= beat && bob.pongs >= beat);
  }
  const after = await readStats(worker.origin, room);
  note(JSON.stringify(after));
  expect(after["wakes"]).toBe((before["wakes"] ?? 0) + 1);
  expect(after).toMatchObject({ members: 2, connections: 3, live: 3, lagging: 0 });
  await bob.publish("chat", "after");
  await until("all to hear", () => ann.messages.length === 2 && viewed.includes("after"));
  ann.setState("moved");
  await until("the change to be seen", () => bob.presence.get("ann") === "moved");
  expect([ann, bob].flatMap(({ violations, closes }) => [...violations, ...closes])).toEqual([]);
  controller.abort();
  await viewing;
});
