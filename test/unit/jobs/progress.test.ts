import { describe, expect, it } from "vitest";
import { createHttpPublisher } from "../../../src/jobs/http-publisher.ts";
import { createProgress, type ProgressEvent } from "../../../src/jobs/progress.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

/** A topic that takes batches when a test says so. */
class Topic {
  readonly batches: { events: readonly ProgressEvent[]; end: string | undefined }[] = [];
  readonly #open: PromiseWithResolvers<void>[] = [];

  async publish(events: readonly ProgressEvent[], end?: string): Promise<void> {
    this.batches.push({ events, end });
    const taken = Promise.withResolvers<void>();
    this.#open.push(taken);
    await taken.promise;
  }

  async take(error?: Error): Promise<void> {
    const taken = this.#open.shift();
    if (error === undefined) taken?.resolve();
    else taken?.reject(error);
    await settle();
  }
}

describe("[S5] telling progress", () => {
  it("[S5] [P2] sends what is told in one turn, or meanwhile, together and in order", async () => {
    const topic = new Topic();
    const progress = createProgress(topic, "k");
    const told = [progress.started({ name: "Import" }), progress.percent(0)];
    await settle();
    told.push(
      progress.step({ i: 1, n: 2 }),
      progress.log("half"),
      progress.percent(150),
      progress.done({ rows: 7 }),
    );
    await settle();
    expect(topic.batches).toHaveLength(1);
    await topic.take();
    await topic.take();
    await Promise.all(told);
    expect(topic.batches).toEqual([
      {
        events: [
          { event: "started", data: { name: "Import" }, id: "k.0" },
          { event: "percent", data: { percent: 0 }, id: "k.1" },
        ],
        end: undefined,
      },
      {
        events: [
          { event: "step", data: { i: 1, n: 2 }, id: "k.2" },
          { event: "log", data: { line: "half" }, id: "k.3" },
          { event: "percent", data: { percent: 100 }, id: "k.4" },
          { event: "done", data: { result: { rows: 7 } }, id: "k.5" },
        ],
        end: "completed",
      },
    ]);
    expect(() => progress.log("more")).toThrow("ended");
  });

  it("[S5] [L5] tells who waits that an event was lost, and goes on", async () => {
    const topic = new Topic();
    const progress = createProgress(topic);
    const lost = progress.log("lost");
    await settle();
    void progress.failed({ code: "full", message: "The disk is full." });
    await topic.take(new Error("refused"));
    await expect(lost).rejects.toThrow("refused");
    expect(topic.batches.at(-1)).toMatchObject({
      events: [{ event: "failed", data: { code: "full", message: "The disk is full." } }],
      end: "failed",
    });
    // Nobody waits for this one: it must not become an unhandled rejection.
    await topic.take(new Error("refused"));
  });

  it("[S5] [I5] bounds lines and batches", async () => {
    const topic = new Topic();
    const progress = createProgress(topic);
    await settle();
    for (let n = 0; n < 200; n += 1) void progress.log("é".repeat(10_000));
    for (let n = 0; n < 4; n += 1) {
      await settle();
      await topic.take();
    }
    expect(topic.batches.map(({ events }) => events.length)).toEqual([64, 64, 64, 8]);
    expect(topic.batches[0]?.events[0]?.data).toEqual({ line: `${"é".repeat(4_095)}…` });
  });
});

describe("[S5] telling it over HTTP", () => {
  const url = "http://topics.invalid/v1/topics/job";

  function server(...answers: (Response | Error)[]) {
    const clock = new FakeClock();
    const asked: { url: string; body: unknown; token: string | null }[] = [];
    const publisher = createHttpPublisher({
      url,
      token: "secret",
      clock,
      random: () => 0.5,
      fetch: async (url, { body, headers }) => {
        const token = new Headers(headers).get("authorization");
        asked.push({ url, body: JSON.parse(body as string) as unknown, token });
        const answer = answers.shift() ?? new Response("{}", { status: 201 });
        if (answer instanceof Error) throw answer;
        return await Promise.resolve(answer);
      },
    });
    return { clock, asked, publisher };
  }

  it("[S5] [S4] tries again with the same ids, as long as the server asks to wait, until it is durable", async () => {
    const { clock, asked, publisher } = server(
      new TypeError("fetch failed"),
      new Response("", { status: 503 }),
      new Response("", { status: 429, headers: { "retry-after": "30" } }),
    );
    const began = clock.now();
    const done = createProgress(publisher, "k").done("fine");
    await clock.advanceUntil(() => asked.length === 4);
    await done;
    expect(clock.now() - began).toBe(200 + 400 + 30_000);
    const event = { event: "done", data: { result: "fine" }, id: "k.0" };
    // The last event and the end are one request.
    const request = { url: `${url}?close=completed`, body: [event], token: "Bearer secret" };
    expect(asked).toEqual(Array.from({ length: 4 }, () => request));
    expect(clock.armed).toBe(0);
  });

  it("[S5] does not repeat what was refused, and gives up in the end", async () => {
    const refusing = server(new Response("no such topic", { status: 409 }));
    await expect(createProgress(refusing.publisher).log("x")).rejects.toThrow("409: no such topic");
    expect(refusing.asked).toHaveLength(1);
    const down = server(...Array.from({ length: 200 }, () => new TypeError("fetch failed")));
    const begunAt = down.clock.now();
    const lost = createProgress(down.publisher).log("x");
    let isOver = false;
    lost.catch(() => {
      isOver = true;
    });
    await down.clock.advanceUntil(() => isOver);
    await expect(lost).rejects.toThrow("could not be reached");
    expect(down.clock.now() - begunAt).toBeGreaterThanOrEqual(60_000);
    expect(down.clock.now() - begunAt).toBeLessThan(75_000);
  });
});
