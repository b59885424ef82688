/** Everybody comes back at once (E3). */
import { expect, test } from "vitest";
import { note } from "../support/note.ts";
import { until } from "../support/until.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { SpecClient } from "../support/spec-client.ts";
import { encodeSpecFrame } from "../support/spec-frames.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";

const CLIENTS = 2_000;
/** With a burst of four seconds; low enough that clients come faster on a busy machine, too. */
const JOINS_PER_SECOND = 100;
/** Milliseconds between two messages, each of which everybody hears: more often would be another test. */
const TALK_MS = 500;
const ROOM = "storm:lobby";

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

async function readStats(worker: RunningWorker, room: string): Promise<Record<string, number>> {
  const response = await fetch(`${worker.origin}/v1/rooms/${room}/stats`);
  return (await response.json()) as Record<string, number>;
}

test(`[W3][E3][P82] ${CLIENTS} clients at once are let in ${JOINS_PER_SECOND} a second, and the room goes on meanwhile`, async () => {
  await using worker = await startWorker({
    ROOM_CLASSES: JSON.stringify({ storm: { joinsPerSecond: JOINS_PER_SECOND } }),
  });
  const origin = (): string => worker.origin;
  using ann = new SpecClient({ origin, room: ROOM, member: "ann" });
  await until("ann to join", () => ann.isJoined);
  await using crowd = new AsyncDisposableStack();
  const refusals = new Map<number, number>();
  const retryAfters: number[] = [];
  async function comeIn(name: string): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const socket = await RawSocket.open(worker.port, `/v1/rooms/${ROOM}`);
      const { status, headers } = socket.handshake;
      if (status === 101) {
        crowd.defer(() => socket[Symbol.dispose]());
        socket.sendBinary(encodeSpecFrame([1, { member: name }]));
        await socket.heard();
        expect(socket.closeCode).toBeUndefined();
        return;
      }
      socket[Symbol.dispose]();
      refusals.set(status, (refusals.get(status) ?? 0) + 1);
      const retryAfter = Number(headers.get("retry-after"));
      retryAfters.push(retryAfter);
      await pause(1_000 * retryAfter + Math.random() * Math.min(30_000, 500 * 2 ** attempt));
    }
  }
  const began = performance.now();
  const latencies: number[] = [];
  const over = new AbortController();
  const all = Promise.all(Array.from({ length: CLIENTS }, (_, n) => comeIn(`member${n}`))).finally(
    () => over.abort(),
  );
  while (!over.signal.aborted) {
    const at = performance.now();
    // Whoever fails to come in ends this, too.
    await ann.publish("talk", latencies.length);
    latencies.push(performance.now() - at);
    await Promise.race([pause(TALK_MS), all]);
  }
  await all;
  const took = performance.now() - began;
  const slowest = Math.max(...latencies);
  note(
    `${CLIENTS} in after ${(took / 1_000).toFixed(1)} s; refused ${JSON.stringify([...refusals])}; ` +
      `a publisher waited ${slowest.toFixed(0)} ms at most`,
  );
  expect([...refusals.keys()]).toEqual([503]);
  expect(Math.min(...retryAfters)).toBeGreaterThanOrEqual(1);
  expect(took).toBeGreaterThan(1_000 * (CLIENTS / JOINS_PER_SECOND - 4) * 0.9);
  expect(await readStats(worker, ROOM)).toMatchObject({ connections: CLIENTS + 1 });
  await until("everybody to be counted", () => ann.count === CLIENTS + 1);
  expect([ann.violations, ann.errors, ann.closes, ann.gaps]).toEqual([[], [], [], []]);
  await until("ann to hear herself", () => ann.messages.length === latencies.length);
}, 120_000);
