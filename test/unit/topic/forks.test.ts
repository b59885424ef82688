import { expect, it } from "vitest";
import { parseTopicSettings, type ForkPoint } from "../../../durable-objects/topic/settings.ts";
import { TopicCore } from "../../support/topic-core.ts";

const POINT: ForkPoint = { topic: "source", epoch: "1", seq: 0, beyond: 0, as: "fork" };
const SETTINGS = { ...parseTopicSettings({}), forkedFrom: POINT };

/** A fork whose source is away for a while. */
class Fork extends TopicCore {
  readonly told: number[];
  isAway = true;

  constructor() {
    const told: number[] = [];
    super({
      leaveSource: async () => {
        await Promise.resolve();
        told.push(this.clock.now());
        if (this.isAway) throw new Error("the source is away");
      },
    });
    this.told = told;
  }

  /** The alarm rings when it is due; returns how long that took. */
  async ring(): Promise<number> {
    const waitMs = (this.topic.nextSweepAt() ?? Number.NaN) - this.clock.now();
    await this.clock.advance(waitMs);
    this.topic.sweep();
    await this.clock.advance(0);
    return waitMs;
  }
}

it("[I7] a fork tells its source that it is gone until it is heard, across sleeps, at ever longer intervals", async () => {
  const fork = new Fork();
  fork.topic.create(SETTINGS);
  fork.topic.delete();
  // It falls before it knows what came of it.
  fork.sleep();
  expect(await fork.ring()).toBe(30_000);
  fork.sleep();
  expect(await fork.ring()).toBe(60_000);
  fork.isAway = false;
  expect(await fork.ring()).toBe(120_000);
  expect(fork.told).toHaveLength(4);
  expect(fork.topic.nextSweepAt()).toBeUndefined();
  fork.sleep();
  expect(fork.topic.nextSweepAt()).toBeUndefined();
});

it("[I7] a fork that is made again of the same source has not left it", async () => {
  const fork = new Fork();
  fork.topic.create(SETTINGS);
  fork.topic.delete();
  await fork.clock.advance(0);
  expect(fork.topic.create(SETTINGS)).toBe("created");
  fork.sleep();
  fork.isAway = false;
  await fork.clock.advance(3_600_000);
  fork.topic.sweep();
  await fork.clock.advance(0);
  expect(fork.told).toHaveLength(1);
});

it("[I7] a source that is never heard from again is given up after weeks", async () => {
  const fork = new Fork();
  fork.topic.create(SETTINGS);
  fork.topic.delete();
  const since = fork.clock.now();
  while (fork.topic.nextSweepAt() !== undefined) await fork.ring();
  expect(fork.clock.now() - since).toBeGreaterThan(30 * 86_400_000);
  expect(fork.told).toHaveLength(45);
});
