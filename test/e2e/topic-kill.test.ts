/** The process that runs the Worker is killed while events are published and read (I2, S4, S5). */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventSource } from "eventsource";
import { expect, test } from "vitest";
import { createHttpPublisher } from "../../src/jobs/http-publisher.ts";
import { createProgress } from "../../src/jobs/progress.ts";
import { note } from "../support/note.ts";
import { until } from "../support/until.ts";
import { startWorker } from "../support/start-worker.ts";
import { TopicClient } from "../support/topic-client.ts";

const KILLS = 3;
const READERS = 10;
const PUBLISHERS = 4;
/** Events that are acknowledged between two kills, at least. */
const BETWEEN_KILLS = 300;
const JOB_STEPS = 60;
const JOB_STEP_MS = 100;
/** Four starts of a Worker on a busy machine. */
const PATIENCE_MS = 180_000;

/** An unchanged `EventSource`, but for where the Worker is today. */
class Reader implements Disposable {
  readonly heard: string[] = [];
  connections = 0;
  readonly source: EventSource;

  constructor(origin: () => string, path: string, events: readonly string[]) {
    this.source = new EventSource(`http://127.0.0.1${path}`, {
      fetch: async (_url, init) => {
        const response = await fetch(origin() + path, init);
        this.connections += 1;
        return response;
      },
    });
    for (const event of events) {
      this.source.addEventListener(event, ({ data }) => {
        this.heard.push(`${event} ${String(data)}`);
      });
    }
  }

  get isOver(): boolean {
    return this.source.readyState === this.source.CLOSED;
  }

  [Symbol.dispose](): void {
    this.source.close();
  }
}

test(
  `[I2][I3][S4][S5] ${KILLS} times SIGKILL while events are published and a job runs: readers get everything once, in order`,
  async () => {
    const storage = await mkdtemp(join(tmpdir(), "sluice-topic-kill-"));
    let worker = await startWorker({}, { storage });
    const origin = (): string => worker.origin;
    const topic = new TopicClient(origin, "killed");
    const path = `/v1/topics/${topic.name}`;
    const readers = Array.from(
      { length: READERS },
      () => new Reader(origin, path, ["message", "gap"]),
    );
    const watchers: Reader[] = [];
    try {
      const started = await fetch(`${worker.origin}/v1/jobs/demo`, {
        method: "POST",
        body: JSON.stringify({ steps: JOB_STEPS, stepMs: JOB_STEP_MS }),
      });
      const job = (await started.json()) as { readonly events: string };
      const told = ["started", "step", "done", "failed", "gap", "end"];
      watchers.push(new Reader(origin, job.events, told));

      const acknowledged = new Set<string>();
      const over = new AbortController();
      const publishing = Array.from({ length: PUBLISHERS }, async (_, lane) => {
        for (let n = 0; !over.signal.aborted; n += 1) {
          const data = `${lane}.${n}`;
          await repeat(async () => await topic.publish({ data, id: data }));
          acknowledged.add(data);
        }
      });
      // A job of a backend elsewhere, with the broadcaster.
      const outside = new TopicClient(origin, "outside");
      const progress = createProgress(
        createHttpPublisher({
          url: outside.url,
          fetch: async (url, init) => {
            const { pathname, search } = new URL(url);
            return await fetch(origin() + pathname + search, init);
          },
        }),
      );
      const outsideSteps: Promise<void>[] = [progress.started()];

      for (let kill = 1; kill <= KILLS; kill += 1) {
        const enough = acknowledged.size + BETWEEN_KILLS;
        await until("much to be acknowledged", () => acknowledged.size >= enough);
        outsideSteps.push(progress.step({ i: kill, n: KILLS }));
        await worker.kill();
        note(`kill ${kill}: ${acknowledged.size} acknowledged`);
        await worker[Symbol.asyncDispose]();
        worker = await startWorker({}, { storage });
        const all = [...readers, ...watchers.filter(({ isOver }) => !isOver)];
        await until("every reader to be back", () =>
          all.every(({ connections }) => connections > kill),
        );
      }
      over.abort();
      await Promise.all([...publishing, ...outsideSteps, progress.done()]);
      await topic.close();
      await until("every reader to have the end", () => readers.every(({ isOver }) => isOver));
      const [first, ...others] = readers;
      note(`${first?.heard.length} events in the end`);
      expect(new Set(first?.heard)).toEqual(
        new Set([...acknowledged].map((data) => `message ${JSON.stringify(data)}`)),
      );
      expect(first?.heard).toHaveLength(acknowledged.size);
      for (const other of others) expect(other.heard).toEqual(first?.heard);

      await until(
        "the job to end",
        () => watchers.every(({ isOver }) => isOver),
        () => watchers.map(({ heard }) => heard.at(-1)).join(),
      );
      const steps = Array.from({ length: JOB_STEPS }, (_, n) => `{"i":${n + 1},"n":${JOB_STEPS}`);
      for (const { heard } of watchers) {
        expect(heard.map((line) => line.replace(/,"name":.*/, ""))).toEqual([
          `started {"name":"Demo","steps":${JOB_STEPS}}`,
          ...steps.map((step) => `step ${step}`),
          `done {"result":{"steps":${JOB_STEPS}}}`,
          'end {"outcome":"completed"}',
        ]);
      }
      using late = await outside.read();
      await until("the other job's end", () => late.isOver);
      expect(late.events.map(({ event }) => event)).toEqual([
        "started",
        ...Array.from({ length: KILLS }, () => "step"),
        "done",
        "end",
      ]);
    } finally {
      for (const reader of [...readers, ...watchers]) reader[Symbol.dispose]();
      await worker[Symbol.asyncDispose]();
      await rm(storage, { recursive: true });
    }
  },
  PATIENCE_MS,
);

/** As often as it takes: the same id makes it one. */
async function repeat(attempt: () => Promise<unknown>): Promise<void> {
  for (;;) {
    const failure = await attempt().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (failure === undefined) return;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
