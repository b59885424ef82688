import { expect, test, vi } from "vitest";
import { DedupeWindow } from "../../../durable-objects/log/dedupe-window.ts";
import { type Log, openLog } from "../../../durable-objects/log/log.ts";
import { Publisher, type Receipt } from "../../../durable-objects/delivery/publisher.ts";
import { readEntries } from "../../../src/protocol/entries.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { MemorySql } from "../../support/memory-sql.ts";

/** A publisher over a log in memory; everything that happens is noted in its order. */
class Scene {
  readonly clock = new FakeClock();
  readonly log: Log = openLog(new MemorySql(), {
    clock: this.clock,
    random: () => 0,
    retention: {},
  });
  readonly events: string[] = [];
  readonly publisher = new Publisher({
    log: this.log,
    dedupe: new DedupeWindow(this.log),
    audience: {
      isDelivering: false,
      deliver: ({ first, entries }) => {
        const ids = [...readEntries(entries)].map(({ id }) => id).join();
        this.events.push(`deliver ${first} ${ids}, stored up to ${this.log.tail}`);
      },
    },
    clock: this.clock,
    batchMs: 8,
    batchBytes: 1_000,
    flushed: () => this.events.push("flushed"),
  });

  publish(id: string, { sender = "ann", payload = "" } = {}): void {
    const receipt: Receipt = {
      stored: (name, seq, repeated) =>
        this.events.push(`${name} is ${seq}${repeated ? " again" : ""}`),
      refused: (name, { code }) => this.events.push(`${name} refused: ${code}`),
    };
    this.publisher.publish({ sender, id, event: "chat", payload: encodeValue(payload) }, receipt);
  }

  take(): readonly string[] {
    return this.events.splice(0);
  }
}

test("[I2] a message is stored, then delivered, then confirmed", async () => {
  const scene = new Scene();
  scene.publish("a1");
  expect(scene.take()).toEqual(["deliver 1 a1, stored up to 1", "a1 is 1", "flushed"]);
  await scene.clock.advance(8);
  expect(scene.clock.armed).toBe(0);
});

test("[P2] messages under load share a row and a delivery, each with its own answer", async () => {
  const scene = new Scene();
  for (const id of ["a1", "a2", "a3"]) scene.publish(id);
  scene.take();
  expect(scene.publisher.pendingBytes).toBeGreaterThan(0);
  await scene.clock.advance(8);
  expect(scene.take()).toEqual([
    "deliver 2 a2,a3, stored up to 3",
    "a2 is 2",
    "a3 is 3",
    "flushed",
  ]);
  expect(scene.log.stats.rows).toBe(2);
  expect(scene.publisher.pendingBytes).toBe(0);
});

test("[P2] a frame's worth of messages does not wait", async () => {
  const scene = new Scene();
  scene.publish("a1");
  scene.publish("a2", { payload: "x".repeat(1_000) });
  expect(scene.log.tail).toBe(2);
  await scene.clock.advance(8);
  expect(scene.clock.armed).toBe(0);
});

test("[W3][P33] a repeated message has the position it had, whether it is stored or waits", async () => {
  const scene = new Scene();
  scene.publish("a1");
  scene.publish("a1");
  scene.publish("a2");
  scene.publish("a2");
  scene.publish("a2", { sender: "bob" });
  await scene.clock.advance(8);
  scene.publish("a2");
  expect(scene.take().filter((event) => event.includes(" is "))).toEqual([
    "a1 is 1",
    "a1 is 1 again",
    "a2 is 2",
    "a2 is 2 again",
    "a2 is 3",
    "a2 is 2 again",
  ]);
  expect(scene.log.tail).toBe(3);
});

test("[W3] messages without an id are never taken for each other once they are stored", () => {
  const scene = new Scene();
  for (let n = 0; n < 2; n += 1) {
    scene.publish("", { sender: "" });
    scene.publisher.flush();
  }
  expect(scene.log.tail).toBe(2);
});

test("[I2] what cannot be stored is refused to every sender, seen by nobody, and may be sent again", async () => {
  const scene = new Scene();
  scene.publish("a0");
  scene.take();
  scene.publish("a1");
  scene.publish("b1", { sender: "bob" });
  scene.publish("a1");
  const append = vi.spyOn(scene.log, "append").mockImplementation(() => {
    throw new Error("the disk is full");
  });
  await scene.clock.advance(8);
  expect(scene.take()).toEqual([
    "a1 refused: internal",
    "a1 refused: internal",
    "b1 refused: internal",
    "flushed",
  ]);
  expect(scene.log.tail).toBe(1);
  append.mockRestore();
  await scene.clock.advance(8);
  scene.publish("a1");
  expect(scene.take()).toEqual(["deliver 2 a1, stored up to 2", "a1 is 2", "flushed"]);
});

test("[I7] a publisher that is disposed of leaves no timer", () => {
  const scene = new Scene();
  scene.publish("a1");
  scene.publish("a2");
  scene.publisher[Symbol.dispose]();
  expect(scene.clock.armed).toBe(0);
});

test("[P2][I2] messages that belong together share a row and are answered when all are durable", async () => {
  const scene = new Scene();
  const messages = ["a1", "a2", "a1"].map((id) => ({
    sender: "ann",
    id,
    event: "chat",
    payload: encodeValue(id),
  }));
  expect(await scene.publisher.publishAll(messages)).toEqual([1, 2, 1]);
  expect(scene.log.stats.rows).toBe(1);
  expect(scene.take()).toEqual(["deliver 1 a1,a2, stored up to 2", "flushed"]);
  vi.spyOn(scene.log, "append").mockImplementation(() => {
    throw new Error("the disk is full");
  });
  const refused = expect(
    scene.publisher.publishAll(messages.map((message) => ({ ...message, sender: "bob" }))),
  ).rejects.toMatchObject({ code: "internal" });
  await scene.clock.advance(8);
  await refused;
});
