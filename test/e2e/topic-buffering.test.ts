/** Nothing published before, while or after somebody subscribes is lost or told twice (S3, I3). */
import { setImmediate as turn } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { note } from "../support/note.ts";
import { chooseSeed, SeededRandom } from "../support/seeded-random.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { TopicClient } from "../support/topic-client.ts";

const RACES = 200;
/** Races that are run at once. */
const LANES = 8;

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({});
});
afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

const topicCalled = (name: string) => new TopicClient(() => worker.origin, name);

test("[S3] what was published before anybody subscribed is delivered to each who comes, then what follows", async () => {
  const topic = topicCalled("before-anybody");
  await topic.publish([{ data: 0 }, { data: 1 }]);
  await topic.publish({ data: 2 });
  using one = await topic.read();
  await one.has(3);
  await topic.publish({ data: 3 });
  using two = await topic.read();
  await topic.publish({ data: 4 });
  await Promise.all([one.has(5), two.has(5)]);
  await topic.close();
  await Promise.all([one.has(6), two.has(6)]);
  expect(one.data.slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
  expect(two.events).toEqual(one.events);
});

test("[S3] who waits for a topic that is not there yet gets its first event", async () => {
  const topic = topicCalled("not-yet");
  using reader = await topic.read();
  expect(reader.events).toEqual([]);
  await topic.publish({ data: "first" });
  await reader.has(1);
  expect(reader.data).toEqual(["first"]);
});

test(`[S3][I3] ${RACES} races of subscribing and publishing lose nothing and double nothing`, async () => {
  const seed = chooseSeed();
  note(`SEED=${seed}`);
  const random = new SeededRandom(seed);
  const races = Array.from({ length: RACES }, (_, n) => n);
  let live = 0;
  const runRace = async (race: number): Promise<void> => {
    const topic = topicCalled(`race-${race}`);
    const before = random.between(0, 3);
    const during = random.between(1, 6);
    const head = random.between(0, 20);
    for (let n = 0; n < before; n += 1) await topic.publish({ data: n });
    const publishing = (async () => {
      for (let n = before; n < before + during; n += 1) await topic.publish({ data: n });
    })();
    // The subscription starts somewhere within the publishing.
    for (let n = 0; n < head; n += 1) await turn();
    const here = topic.read();
    const back = topic.read("?from=start");
    using first = await here;
    using second = await back;
    const seenAtOnce = first.events.length;
    await publishing;
    await topic.publish({ data: "last" });
    const expected = [...Array.from({ length: before + during }, (_, n) => n), "last"];
    await Promise.all([first.has(expected.length), second.has(expected.length)]);
    if (seenAtOnce < expected.length - 1) live += 1;
    expect(first.data).toEqual(expected);
    expect(second.data).toEqual(expected);
    // Who breaks off somewhere within goes on after it.
    const cut = random.between(0, expected.length - 1);
    using resumed = await topic.read("", first.events[cut]?.id);
    await topic.close();
    await resumed.has(expected.length - cut);
    expect(resumed.data.slice(0, -1)).toEqual(expected.slice(cut + 1));
    expect(resumed.events.at(-1)?.event).toBe("end");
  };
  const lanes = Array.from({ length: LANES }, async () => {
    for (let race = races.shift(); race !== undefined; race = races.shift()) await runRace(race);
  });
  await Promise.all(lanes);
  note(`${live} of ${RACES} subscriptions began while events were still to come`);
  expect(live).toBeGreaterThan(0);
});
