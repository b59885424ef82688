import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { JobObject } from "../../durable-objects/job.ts";
import type { EventReader } from "../support/event-reader.ts";
import { call, TopicHttp } from "../support/topic-http.ts";
import { until } from "../support/until.ts";

/** A step that no test waits for: alarms are run by hand. */
const LONG_MS = 60_000;

interface Started {
  readonly topic: TopicHttp;
  readonly stub: DurableObjectStub<JobObject>;
}

async function start(plan: unknown): Promise<Started> {
  const response = await call("/v1/jobs/demo", { method: "POST", body: JSON.stringify(plan) });
  expect(response.status).toBe(202);
  const { job, topic, events } = await response.json<Record<string, string>>();
  expect(topic).toBe(`job:${job}`);
  expect(events).toBe(`/v1/topics/job:${job}?format=sse`);
  expect(response.headers.get("location")).toBe(events);
  return { topic: new TopicHttp(topic ?? ""), stub: env.JOBS.getByName(job ?? "") };
}

/** What a reader was told until the end, in short. */
async function story(reader: EventReader): Promise<readonly string[]> {
  return (await reader.rest()).map(({ event, data }) => `${event} ${data}`);
}

function wholeStory(steps: number): readonly string[] {
  const names = ["Read", "Check", "Convert", "Write", "Tidy up"];
  const lines = [`started {"name":"Demo","steps":${steps}}`];
  for (let i = 1; i <= steps; i += 1) {
    const name = names[(i - 1) % names.length] ?? "";
    lines.push(
      `step {"i":${i},"n":${steps},"name":"${name}"}`,
      `percent {"percent":${Math.round((100 * (i - 1)) / steps)}}`,
      `log {"line":"${name}: part ${i} of ${steps}"}`,
    );
  }
  return [
    ...lines,
    'percent {"percent":100}',
    `done {"result":{"steps":${steps}}}`,
    'end {"outcome":"completed"}',
  ];
}

describe("[S5] the progress of a job", () => {
  it("[S5] is told from start to end, the stream ends by itself, and late viewers get all of it", async () => {
    const { topic } = await start({ steps: 3, stepMs: 5 });
    const early = await topic.events();
    expect(await story(early)).toEqual(wholeStory(3));
    const late = await topic.events();
    expect(await story(late)).toEqual(wholeStory(3));
    // Who has the end is told not to come back.
    expect((await topic.subscribe("", early.lastEventId)).status).toBe(204);
  });

  it("[S5] [S4] a viewer that was away gets the rest", async () => {
    const { topic } = await start({ steps: 4, stepMs: 20 });
    const first = await topic.events();
    const begin = [await first.next(), await first.next()];
    const rest = await topic.events("", begin.at(-1)?.id);
    await first.close();
    expect([
      ...begin.map((event) => `${event?.event} ${event?.data}`),
      ...(await story(rest)),
    ]).toEqual(wholeStory(4));
  });

  it("[S5] [I1] job and topic are evicted after every step, and the story is the same", async () => {
    const { topic, stub } = await start({ steps: 4, stepMs: LONG_MS });
    const reader = await topic.events();
    const heard: string[] = [];
    await until("it has started", async () => (await topic.stats())["events"] === 1);
    for (let alarm = 0; alarm < 5; alarm += 1) {
      await evictDurableObject(stub);
      await evictDurableObject(topic.stub);
      expect(await runDurableObjectAlarm(stub)).toBe(true);
    }
    heard.push(...(await story(reader)));
    expect(heard).toEqual(wholeStory(4));
    expect(await runDurableObjectAlarm(stub)).toBe(false);
  });

  it("[S5] [I3] an alarm that comes again after a crash doubles nothing", async () => {
    const { topic, stub } = await start({ steps: 3, stepMs: LONG_MS });
    await until("it has started", async () => (await topic.stats())["events"] === 1);
    for (let alarm = 0; alarm < 4; alarm += 1) {
      // The step was told, but the note that it was is lost.
      const before = await runInDurableObject(stub, (_job, { storage }) => storage.kv.get("job"));
      await runDurableObjectAlarm(stub);
      await runInDurableObject(stub, async (_job, { storage }) => {
        storage.kv.put("job", before);
        await storage.setAlarm(Date.now() + LONG_MS);
      });
      await evictDurableObject(stub);
      await runDurableObjectAlarm(stub);
    }
    expect(await story(await topic.events())).toEqual(wholeStory(3));
    // Nothing of the job is left.
    const kept = await runInDurableObject(stub, (_job, { storage }) => storage.kv.get("job"));
    expect(kept).toBeUndefined();
  });

  it("[S5] [I6] a failure is the end, and says what it was", async () => {
    const { topic } = await start({ steps: 2, stepMs: 0, fails: true });
    expect((await story(await topic.events())).slice(-2)).toEqual([
      'failed {"code":"demo_failed","message":"The demo was asked to fail."}',
      'end {"outcome":"failed"}',
    ]);
  });

  it.each([
    ["closes", async (topic: TopicHttp) => await topic.close({ outcome: "stopped" })],
    ["deletes", async (topic: TopicHttp) => await topic.delete()],
  ])("[S5] [I7] whoever %s the topic stops the job", async (how, stop) => {
    const { topic, stub } = await start({ steps: 3, stepMs: LONG_MS });
    await until("it has started", async () => (await topic.stats())["events"] === 1);
    await stop(topic);
    await runDurableObjectAlarm(stub);
    expect(await runDurableObjectAlarm(stub)).toBe(false);
    expect((await topic.stats())["events"]).toBe(how === "closes" ? 1 : 0);
  });

  it.each([[{ steps: 0 }], [{ steps: 101 }], [{ stepMs: -1 }], [{ more: 1 }], ["text"], [null]])(
    "[S5] refuses %j",
    async (plan) => {
      const response = await call("/v1/jobs/demo", { method: "POST", body: JSON.stringify(plan) });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: "invalid_request" });
    },
  );

  it("[S5] needs no body", async () => {
    const response = await call("/v1/jobs/demo", { method: "POST" });
    expect(response.status).toBe(202);
    const { topic } = await response.json<{ topic: string }>();
    await new TopicHttp(topic).delete();
  });
});
