/**
 * Owns the running of the examples: their state in storage, their steps by the object's alarm, so that
 * they outlive evictions and restarts. Refuses to know what a step does.
 */
import { DurableObject } from "cloudflare:workers";
import { toSluiceError } from "../src/protocol/errors.ts";
import { systemClock } from "../src/stream/clock.ts";
import { advanceFeed, type FeedPlan } from "./job/demo-feed.ts";
import { advanceJob, type JobPlan } from "./job/demo-job.ts";
import { createTopicPublisher } from "./job/topic-publisher.ts";
import { reporterFor } from "./platform/report.ts";
import { parseTopicSettings } from "./topic/settings.ts";
import type { TopicObject } from "./topic.ts";

interface JobEnv {
  readonly TOPICS: DurableObjectNamespace<TopicObject>;
}

/** What is to be done, step by step. */
type Plan = JobPlan | FeedPlan;

/** Where it is. */
type JobState = Plan & {
  /** Steps that are behind it; −1 before a job's start was told. */
  readonly done: number;
  /** Attempts at the next step that failed. */
  readonly failures: number;
};

const KEY = "job";
/** A demo's story is kept for a day after it was last looked at. */
const JOB_TOPIC = parseTopicSettings({ ttlMs: 86_400_000 });
/** Of prices nobody needs the old ones. */
const FEED_TOPIC = parseTopicSettings({
  ttlMs: 3_600_000,
  retention: { messages: 1_000 },
  laggards: { latest: "symbol" },
});
/** Failures in a row after which nobody waits for the job any more; hours, given the pauses. */
const MAX_FAILURES = 20;
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 600_000;

export class JobObject extends DurableObject<JobEnv> {
  /** Starts what is planned; its topic can be read when this resolves. */
  async start(plan: Plan): Promise<void> {
    const isJob = plan.kind === "job";
    await this.env.TOPICS.getByName(plan.topic).create(isJob ? JOB_TOPIC : FEED_TOPIC);
    await this.#wait({ ...plan, done: isJob ? -1 : 0, failures: 0 }, 0);
  }

  override async alarm(): Promise<void> {
    const job = this.ctx.storage.kv.get<JobState>(KEY);
    if (job === undefined) return;
    // Told before it is noted: an alarm that comes again after a crash tells the same again, once.
    const next = await this.#advance(job);
    if (next === undefined) await this.ctx.storage.deleteAll();
    else await this.#wait(next, next.failures > 0 ? pauseAfter(next.failures) : job.stepMs);
  }

  async #advance(job: JobState): Promise<JobState | undefined> {
    try {
      const publisher = createTopicPublisher(this.env.TOPICS.getByName(job.topic));
      const done =
        job.kind === "job"
          ? await advanceJob(job, job.done, publisher)
          : await advanceFeed(job, job.done, publisher);
      return done === undefined ? undefined : { ...job, done, failures: 0 };
    } catch (thrown) {
      const error = toSluiceError(thrown);
      // Whoever closes or deletes the topic stops the job.
      if (error.code === "topic_closed" || error.code === "not_found") return undefined;
      reporterFor("job")(error);
      const failures = job.failures + 1;
      return failures > MAX_FAILURES ? undefined : { ...job, failures };
    }
  }

  /** The state and the alarm become durable together. */
  async #wait(job: JobState, ms: number): Promise<void> {
    this.ctx.storage.kv.put(KEY, job);
    await this.ctx.storage.setAlarm(systemClock.now() + ms);
  }
}

function pauseAfter(failures: number): number {
  return Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
}
