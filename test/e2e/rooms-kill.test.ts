/** The process that runs the Worker is killed while everybody talks (I2, W3). */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { note } from "../support/note.ts";
import { until } from "../support/until.ts";
import { SpecClient } from "../support/spec-client.ts";
import { startWorker } from "../support/start-worker.ts";

const CLIENTS = 20;
const KILLS = 3;
/** Messages that each client has on their way at any time. */
const AHEAD = 8;
/** Messages that are acknowledged between two kills, at least. */
const BETWEEN_KILLS = 1_500;
const ROOM = "fast:killed";
const VARS = {
  ROOM_CLASSES: JSON.stringify({
    fast: {
      messagesPerSecond: 100_000,
      bytesPerSecond: 100_000_000,
      joinsPerSecond: 10_000,
      maxMessages: 1_000_000,
    },
  }),
};

test(`[I2][W3][P32][P33][P44] ${KILLS} times SIGKILL while ${CLIENTS} clients publish: what was acknowledged is there, once, in order`, async () => {
  const storage = await mkdtemp(join(tmpdir(), "sluice-kill-"));
  let worker = await startWorker(VARS, { storage });
  const clients = Array.from(
    { length: CLIENTS },
    (_, n) =>
      new SpecClient({
        origin: () => worker.origin,
        room: ROOM,
        member: `member${n}`,
        credit: [4_096, 4_194_304],
        random: () => Math.random() * 0.05,
      }),
  );
  try {
    await until("everybody to join", () => clients.every(({ isJoined }) => isJoined));
    const acknowledged = new Map<string, number>();
    const over = new AbortController();
    const lanes = clients.flatMap((client, n) => {
      let next = 0;
      return Array.from({ length: AHEAD }, async () => {
        while (!over.signal.aborted) {
          // Who is away must find his ids remembered (P33): at this pace 4,096 messages are half a second.
          await until("everybody to be here", () => clients.every(({ isJoined }) => isJoined));
          const text = `${n}.${(next += 1)}`;
          acknowledged.set(text, await client.publish("chat", text));
        }
      });
    });
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const enough = acknowledged.size + BETWEEN_KILLS;
      await until("much to be acknowledged", () => acknowledged.size >= enough);
      const unanswered = clients.reduce((sum, client) => sum + client.unanswered, 0);
      await worker.kill();
      note(`kill ${kill}: ${acknowledged.size} acknowledged, ${unanswered} on their way`);
      await worker[Symbol.asyncDispose]();
      worker = await startWorker(VARS, { storage });
      await until("everybody to be back", () => clients.every(({ isJoined }) => isJoined));
    }
    over.abort();
    await Promise.all(lanes);
    const [one, ...others] = clients;
    await until("everything to arrive", () =>
      clients.every(({ messages }) => messages.length >= acknowledged.size),
    );
    note(`${acknowledged.size} messages in the end`);
    const received = new Map(one?.messages.map(({ seq, payload }) => [String(payload), seq]));
    expect(received).toEqual(new Map([...acknowledged].toSorted(([, a], [, b]) => a - b)));
    // One by one: a difference in ten thousand is hard to read.
    for (const other of others) {
      const index = other.messages.findIndex(
        (message, i) => JSON.stringify(message) !== JSON.stringify(one?.messages[i]),
      );
      expect(other.messages[index]).toEqual(one?.messages[index]);
    }
    for (const [n, client] of clients.entries()) {
      const own = one?.messages.filter(({ sender }) => sender === `member${n}`) ?? [];
      expect(own.map(({ payload }) => payload)).toEqual(own.map((_, i) => `${n}.${i + 1}`));
      expect([...client.violations, ...client.gaps, ...client.errors]).toEqual([]);
      expect(client.closes.length).toBeGreaterThanOrEqual(KILLS);
    }
    const ids = one?.messages.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids?.length);
  } finally {
    for (const client of clients) client[Symbol.dispose]();
    await worker[Symbol.asyncDispose]();
    await rm(storage, { recursive: true });
  }
});
