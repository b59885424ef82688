import { describe, expect, it, vi } from "vitest";
import { Meta } from "../../../durable-objects/log/meta.ts";
import { START } from "../../../src/protocol/position.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { TopicCore } from "../../support/topic-core.ts";

describe("a topic", () => {
  it("[I1] costs no storage before it exists, however it is read", () => {
    const core = new TopicCore();
    core.read({ resume: START });
    core.topic.read("start", { maxBytes: 1_000, maxEntries: 10 });
    core.topic.describe();
    core.topic.stats();
    core.sleep();
    expect(core.sql.rowsWritten).toBe(0);
    expect(core.sql.queries.every((query) => query.startsWith("SELECT"))).toBe(true);
  });

  it("[I2] does not exist when its settings could not be written, and can be made then", async () => {
    const core = new TopicCore();
    const full = vi.spyOn(Meta.prototype, "set").mockImplementation(function (
      this: Meta,
      name,
      to,
    ) {
      if (name === "topic") throw new Error("database or disk is full: SQLITE_FULL");
      this.setAll({ [name]: to });
    });
    expect(() => core.create()).toThrow("SQLITE_FULL");
    full.mockRestore();
    expect(core.topic.describe()).toBeUndefined();
    await core.append([1]);
    core.sleep();
    expect(core.topic.describe()).toMatchObject({ tail: 1 });
  });

  it("[I2] is no topic either, after a sleep, whose beginning in another topic could not be stored", () => {
    const core = new TopicCore();
    const start = { epoch: "0mwsnrbj62d", seq: 7 };
    const full = vi.spyOn(Meta.prototype, "set").mockImplementation(function (
      this: Meta,
      name,
      to,
    ) {
      if (name === "floor") throw new Error("database or disk is full: SQLITE_FULL");
      this.setAll({ [name]: to });
    });
    expect(() => core.create({}, start)).toThrow("SQLITE_FULL");
    full.mockRestore();
    core.sleep();
    expect(core.topic.describe()).toBeUndefined();
    core.create({}, start);
    expect(core.topic.describe()).toMatchObject({ tail: 7, epoch: start.epoch });
  });

  it("[I3] serves who waited from the first event on, in the topic's epoch", async () => {
    const core = new TopicCore();
    const reader = core.read({ resume: START });
    core.sleep();
    await core.append([1, 2]);
    expect(reader.events).toEqual([
      [1, "1"],
      [2, "2"],
    ]);
    const epochs = reader.of("welcome").map(({ epoch }) => epoch);
    expect(epochs).toEqual(["0", core.topic.describe()?.epoch]);
    // Its position of before is one of now.
    const again = core.read({ resume: { epoch: "0", seq: 0 } });
    expect(again.events).toHaveLength(2);
    expect(again.of("gap")).toEqual([]);
  });

  it("[I6] [I2] ends together with its last events, and everyone is told after them", async () => {
    const core = new TopicCore();
    await core.append([1]);
    const live = core.read();
    const slow = core.read({ resume: START, credit: { messages: 1, bytes: 1 } });
    const result = await core.append([2, 3], { close: { outcome: "completed", data: "4" } });
    expect(result).toMatchObject({ kind: "appended", seqs: [2, 3], isClosed: true });
    expect(live.frames.slice(-2).map(({ kind }) => kind)).toEqual(["deliver", "end"]);
    expect(live.closed).toBe(1000);
    expect(slow.of("end")).toEqual([]);
    core.sleep();
    core.ack(slow, 1);
    core.ack(slow, 3);
    expect(slow.events.map(([seq]) => seq)).toEqual([1, 2, 3]);
    expect(slow.of("end")).toEqual([{ kind: "end", outcome: "completed", data: "4" }]);
    expect(slow.closed).toBe(1000);
    expect(core.topic.stats()).toMatchObject({ connections: 0 });
    const { epoch } = result;
    expect(core.topic.isOver({ epoch, seq: 3 })).toBe(false);
    expect(core.topic.isOver({ epoch, seq: 4 })).toBe(true);
  });

  it("[I4] begins a new epoch after it was deleted, also within one millisecond", async () => {
    const core = new TopicCore();
    const epochs: string[] = [];
    for (let life = 0; life < 5; life += 1) {
      core.create();
      epochs.push(core.topic.describe()?.epoch ?? "");
      const reader = core.read();
      expect(core.topic.delete()).toBe(true);
      expect(reader.closed).toBe(4404);
      expect(core.topic.describe()).toBeUndefined();
      core.sleep();
    }
    expect(new Set(epochs).size).toBe(5);
    expect(epochs).toEqual(epochs.toSorted());
    const { tail } = await core.append([1]);
    expect(tail).toBe(1);
  });

  it("[I4] continues another topic's log from its position", async () => {
    const core = new TopicCore();
    expect(core.create({}, { epoch: "source", seq: 40 })).toBe("created");
    expect(await core.append([41])).toMatchObject({ epoch: "source", seqs: [41] });
    core.sleep();
    expect(await core.append([42])).toMatchObject({ epoch: "source", seqs: [42] });
    const reader = core.read({ resume: { epoch: "source", seq: 40 } });
    expect(reader.events.map(([seq]) => seq)).toEqual([41, 42]);
  });

  it("[P2] writes one row a flush, and none more", async () => {
    const core = new TopicCore();
    await core.append([1]);
    const before = core.sql.rowsWritten;
    await core.append([2, 3, 4]);
    await core.append([5], { producer: { id: "p", epoch: 0, seq: 0 }, order: "a" });
    await core.append([6], { close: { outcome: "completed", data: "" } });
    // Three flushes, and the end.
    expect(core.sql.rowsWritten - before).toBe(4);
  });
});

describe("a topic that expires", () => {
  it("[S6] is deleted when nobody has read or written for so long, and not before", async () => {
    const core = new TopicCore();
    core.create({ ttlMs: 8_000 });
    const size = { maxBytes: 1_000, maxEntries: 10 };
    for (let round = 0; round < 5; round += 1) {
      await core.clock.advance(7_900);
      core.topic.read("start", size);
    }
    await core.clock.advance(7_900);
    await core.append([1]);
    await core.clock.advance(7_000);
    expect(core.topic.describe()).toBeDefined();
    const due = core.topic.nextSweepAt() ?? 0;
    await core.clock.advance(due - core.clock.now());
    core.topic.sweep();
    expect(core.topic.describe()).toBeUndefined();
    expect(core.topic.nextSweepAt()).toBeUndefined();
  });

  it("[S6] lives while it is being read, and is never deleted early after a sleep", async () => {
    const core = new TopicCore();
    core.create({ ttlMs: 8_000 });
    const reader = core.read();
    await core.clock.advance(30_000);
    core.topic.sweep();
    expect(core.topic.describe()).toBeDefined();
    core.leave(reader);
    await core.clock.advance(6_000);
    core.topic.read("start", { maxBytes: 1_000, maxEntries: 10 });
    core.sleep();
    await core.clock.advance(7_900);
    expect(core.topic.describe()).toBeDefined();
    await core.clock.advance(2_000);
    expect(core.topic.describe()).toBeUndefined();
  });

  it("[S6] ends at a fixed time, whoever reads", async () => {
    const core = new TopicCore();
    core.create({ expiresAt: core.clock.now() + 5_000 });
    const reader = core.read();
    await core.clock.advance(4_999);
    expect(core.topic.describe()).toBeDefined();
    await core.clock.advance(1);
    core.topic.sweep();
    expect(core.topic.describe()).toBeUndefined();
    expect(reader.closed).toBe(4404);
  });
});

describe("idempotent producers", () => {
  const stamp = (epoch: number, seq: number) => ({ producer: { id: "p", epoch, seq } });

  it("[I2] a request counts once, in order, also after a sleep", async () => {
    const core = new TopicCore();
    core.create();
    expect(await core.append([1], stamp(0, 1))).toMatchObject({
      kind: "producer_ahead",
      expectedSeq: 0,
    });
    expect(await core.append([1, 2], stamp(0, 0))).toMatchObject({ seqs: [1, 2] });
    // Others write in between; what is known of the producer goes with their rows.
    await core.append([3]);
    core.sleep();
    expect(await core.append([1, 2], stamp(0, 0))).toMatchObject({
      kind: "duplicate",
      newestSeq: 0,
    });
    expect(await core.append([4], stamp(0, 2))).toMatchObject({
      kind: "producer_ahead",
      expectedSeq: 1,
    });
    expect(await core.append([4], stamp(1, 1))).toMatchObject({ kind: "producer_invalid" });
    expect(await core.append([4], stamp(1, 0))).toMatchObject({ seqs: [4] });
    expect(await core.append([5], stamp(0, 1))).toMatchObject({
      kind: "producer_stale",
      newestEpoch: 1,
    });
    expect(core.topic.stats()).toMatchObject({ events: 4 });
  });

  it("[I6] the request that closed a topic may be repeated, no other", async () => {
    const core = new TopicCore();
    core.create();
    await core.append([1], stamp(0, 0));
    const close = { outcome: "completed", data: "" } as const;
    expect(await core.append([2], { ...stamp(0, 1), close })).toMatchObject({ seqs: [2] });
    core.sleep();
    expect(await core.append([2], { ...stamp(0, 1), close })).toMatchObject({
      kind: "duplicate",
      isClosed: true,
    });
    expect(await core.append([1], stamp(0, 0))).toMatchObject({ kind: "closed", tail: 2 });
    expect(await core.append([], { close })).toMatchObject({ kind: "appended", seqs: [] });
    expect(await core.append([3], { close })).toMatchObject({ kind: "closed" });
  });

  it("[B3] [I7] a reader that takes nothing for a minute is sent away, one that takes little is not", async () => {
    const core = new TopicCore();
    const credit = { messages: 1, bytes: 1 };
    const stalled = core.read({ credit });
    const slow = core.read({ credit });
    await core.append([1]);
    await core.append([2]);
    await core.append([3]);
    expect(core.topic.stats()).toMatchObject({ lagging: 2 });
    await core.clock.advance(40_000);
    core.ack(slow, 1);
    // The alarm that is set then rings in time.
    expect(core.topic.nextSweepAt()).toBeLessThanOrEqual(core.clock.now() + 60_000);
    await core.clock.advance(20_000);
    core.sleep();
    core.topic.sweep();
    expect([stalled.closed, slow.closed]).toEqual([4410, undefined]);
    expect(core.topic.stats()).toMatchObject({ connections: 1 });
  });

  it("[I3] writers' own order only grows", async () => {
    const core = new TopicCore();
    expect(await core.append([1], { order: "b" })).toMatchObject({ kind: "appended" });
    core.sleep();
    expect(await core.append([2], { order: "b" })).toMatchObject({ kind: "out_of_order" });
    expect(await core.append([2], { order: "a" })).toMatchObject({ kind: "out_of_order" });
    expect(await core.append([2], { order: "ba" })).toMatchObject({ kind: "appended" });
  });

  it("[I4] a topic that is missing or holds other data is not written to", async () => {
    const core = new TopicCore();
    expect(await core.append([1], { create: false })).toMatchObject({ kind: "missing" });
    core.create({ contentType: "text/plain" });
    expect(await core.append([1])).toMatchObject({
      kind: "wrong_type",
      contentType: "text/plain",
    });
  });
});

describe("[I6] an end that is asked for with events", () => {
  it("does not come when they cannot be stored, and can be asked for again", async () => {
    const core = new TopicCore();
    core.create();
    core.sql.exec(
      "CREATE TRIGGER full BEFORE INSERT ON log_entries BEGIN SELECT RAISE(FAIL, 'full'); END",
    );
    const close = { outcome: "completed" as const, data: "" };
    const event = { event: "message", payload: encodeValue("1"), id: "", sender: "" };
    await expect(
      core.topic.append({ events: [event], contentType: "application/json", close }),
    ).rejects.toMatchObject({ code: "internal" });
    expect(core.topic.describe()).toMatchObject({ tail: 0, ending: undefined });
    core.sql.exec("DROP TRIGGER full");
    expect(await core.append([1], { close })).toMatchObject({ seqs: [1], isClosed: true });
  });
});
