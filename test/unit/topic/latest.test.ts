import { describe, expect, it } from "vitest";
import { LatestIndex } from "../../../durable-objects/topic/latest.ts";
import { openLog } from "../../../durable-objects/log/log.ts";
import { concat } from "../../../src/protocol/bytes.ts";
import { encodeEntry } from "../../../src/protocol/encode-server-frame.ts";
import { readEntries } from "../../../src/protocol/entries.ts";
import { decodeValue, encodeValue } from "../../../src/protocol/value.ts";
import { MemorySql } from "../../support/memory-sql.ts";
import { SeededRandom } from "../../support/seeded-random.ts";
import { StillClock } from "../../support/still-clock.ts";

const SIZE = { maxBytes: 64 * 1024, maxEntries: 16 };

function makeLog(maxEntries = 1_000_000) {
  const options = { clock: new StillClock(), random: () => 0.5, retention: { maxEntries } };
  return openLog(new MemorySql(), options);
}

function flush(data: readonly unknown[]) {
  const entries = data.map((value) =>
    encodeEntry({
      sender: "",
      at: 1,
      event: "message",
      payload: encodeValue(JSON.stringify(value)),
      id: "",
    }),
  );
  return { entries: concat(entries), count: data.length, ids: "" };
}

/** What a reader gets from `seq` on until it has everything. */
function drain(index: LatestIndex, from: number): [seq: number, data: unknown][] {
  const got: [number, unknown][] = [];
  for (let at = from; ;) {
    const page = index.readAfter(at, SIZE);
    if (page.kind === "gap") {
      at = page.to;
      continue;
    }
    const data = [...readEntries(page.entries)].map(
      ({ payload }) => JSON.parse(decodeValue(payload) as string) as unknown,
    );
    if (data.length === 0) return got;
    const seqs = page.kind === "latest" ? page.seqs : data.map((_, nth) => page.first + nth);
    for (const [nth, value] of data.entries()) {
      const seq = seqs[nth] ?? 0;
      if (seq > at) got.push([seq, value]);
    }
    at = page.last;
  }
}

describe("[S6] the newest of each key", () => {
  it.each(["kept in memory", "read back"])("[S6] %s, is the same", (how) => {
    const log = makeLog();
    let index = new LatestIndex(log, "k");
    const values = [{ k: 1 }, { k: "1" }, { k: 1, n: 2 }, "none", { other: 1 }, { k: null }, 7];
    for (const value of values) {
      const stored = flush([value]);
      index.note(log.append(stored).first, stored.entries);
    }
    if (how === "read back") index = new LatestIndex(log, "k");
    expect(drain(index, 0)).toEqual([
      [2, { k: "1" }],
      [3, { k: 1, n: 2 }],
      [6, { k: null }],
      // What has no key shares one.
      [7, 7],
    ]);
    expect(drain(index, 6)).toEqual([[7, 7]]);
    expect(drain(index, 7)).toEqual([]);
  });

  it("[S6] [I4] says what was trimmed", () => {
    const log = makeLog(10);
    const index = new LatestIndex(log, "k");
    for (let n = 0; n < 300; n += 1) {
      const stored = flush([{ k: n % 3, n }]);
      index.note(log.append(stored).first, stored.entries);
    }
    expect(index.readAfter(1, SIZE)).toMatchObject({ kind: "gap", reason: "trimmed", from: 2 });
    expect(drain(index, 1)).toHaveLength(3);
  });

  it.each([1, 2, 3])(
    "[S6] [I5] within any limits a reader ends up with the newest of each key, in order (seed %d)",
    (seed) => {
      const random = new SeededRandom(seed).next;
      for (let round = 0; round < 60; round += 1) {
        const log = makeLog(random() < 0.5 ? 40 : 10_000);
        const limits = { maxKeys: 1 + Math.floor(random() * 12), maxBytes: 200 + random() * 2_000 };
        let index = new LatestIndex(log, "k", limits);
        const newest = new Map<number, number>();
        let cursor = 0;
        let n = 0;
        const seen = new Map<number, number>();
        for (let step = 0; step < 40; step += 1) {
          if (random() < 0.1) index = new LatestIndex(log, "k", limits);
          const batch = Array.from({ length: 1 + Math.floor(random() * 20) }, () => {
            n += 1;
            const k = Math.floor(random() * 10);
            newest.set(k, n);
            return { k, n };
          });
          const stored = flush(batch);
          index.note(log.append(stored).first, stored.entries);
          expect(index.size).toBeLessThanOrEqual(limits.maxKeys);
          if (random() < 0.6) continue;
          for (const [seq, value] of drain(index, cursor)) {
            expect(seq).toBeGreaterThan(cursor);
            cursor = seq;
            const { k, n: at } = value as { k: number; n: number };
            seen.set(k, at);
          }
          const kept = [...newest].filter(([, at]) => at >= log.head);
          for (const [k, at] of kept) expect(seen.get(k), `key ${k}, round ${round}`).toBe(at);
        }
      }
    },
  );
});
