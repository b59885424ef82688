/** How long an export waits for its reader, and what it holds meanwhile. */
import { expect, test } from "vitest";
import type { Slot } from "../../../durable-objects/quota/slots.ts";
import type { Topic } from "../../../durable-objects/topic/topic.ts";
import { EXPORT_HELD_MS, EXPORT_PATIENCE_MS } from "../../../src/protocol/limits.ts";
import { makeApp } from "../../support/make-app.ts";
import { TopicCore } from "../../support/topic-core.ts";

/** Asks for an export of several pages, as a caller whose connections are counted. */
async function openExport() {
  const core = new TopicCore();
  const { clock, topic } = core;
  core.create();
  for (let n = 0; n < 8; n += 1) await core.append(["x".repeat(200_000)]);
  const held = new Map<string, Slot>();
  const seen = { reads: 0 };
  const env = {
    QUOTA_CONNECTIONS: "5",
    QUOTAS: {
      idFromName: (name: string) => name,
      idFromString: (id: string) => id,
      get: () => ({
        open: async (slot: Slot) => {
          held.set(slot.id, slot);
          return true;
        },
        close: async (id: string) => {
          held.delete(id);
        },
      }),
    },
    TOPICS: {
      getByName: () => ({
        read: async (...asked: Parameters<Topic["read"]>) => {
          seen.reads += 1;
          return topic.read(...asked);
        },
      }),
    },
  };
  const context = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} };
  const app = makeApp({ clock });
  const response = await app.request(
    "http://localhost/v1/topics/t?format=ndjson",
    {},
    env,
    context,
  );
  const reader = response.body?.getReader();
  if (reader === undefined) throw new Error("an export without a body");
  return { clock, held, seen, reader };
}

test("[E2][B3] an export is held for as long as it is read, and read no faster than it is taken", async () => {
  const { clock, held, seen, reader } = await openExport();
  expect([...held.values()]).toMatchObject([{ until: clock.now() + EXPORT_HELD_MS }]);
  for (let pages = 0; ; pages += 1) {
    expect([seen.reads, held.size]).toEqual([pages, 1]);
    if ((await reader.read()).done) break;
    await clock.advance(EXPORT_PATIENCE_MS - 1);
  }
  expect(seen.reads).toBeGreaterThan(3);
  expect([held.size, clock.armed]).toEqual([0, 0]);
});

test("[B3][I6][I7] an export that nobody takes anything of ends with a line that says why, and nothing is held then", async () => {
  const { clock, held, seen, reader } = await openExport();
  expect((await reader.read()).done).toBe(false);
  await clock.advance(EXPORT_PATIENCE_MS);
  expect([held.size, clock.armed]).toEqual([1, 0]);
  // An error would be the runtime's, and stand in the operator's log.
  const last = (await reader.read()) as ReadableStreamReadResult<Uint8Array>;
  expect(new TextDecoder().decode(last.value)).toMatch(
    /^\{"error":\{"code":"stream_interrupted",.*\}\n$/,
  );
  expect((await reader.read()).done).toBe(true);
  expect([seen.reads, held.size]).toEqual([1, 0]);
});
