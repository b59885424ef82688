/**
 * Owns the example job: what it pretends to do and what it tells of it, a step at a time. Refuses to
 * know time, storage and where it is told.
 */
import { createProgress, type EventPublisher } from "../../src/jobs/progress.ts";

/** What a job is asked for. */
export interface JobPlan {
  readonly kind: "job";
  readonly topic: string;
  readonly steps: number;
  /** Milliseconds that a step takes. */
  readonly stepMs: number;
  /** Whether it fails halfway. */
  readonly fails: boolean;
}

const NAMES = ["Read", "Check", "Convert", "Write", "Tidy up"] as const;

/**
 * Does what comes after `done` steps. Done again, it tells the same again, which is stored once.
 *
 * @param done steps that are behind the job; −1 before it has said that it started.
 * @returns how many are behind it now; undefined when it has ended.
 */
export async function advanceJob(
  { steps, fails }: JobPlan,
  done: number,
  publisher: EventPublisher,
): Promise<number | undefined> {
  const progress = createProgress(publisher, `step${done + 1}`);
  if (done < 0) {
    await progress.started({ name: "Demo", steps });
    return 0;
  }
  if (fails && done >= steps / 2) {
    await progress.failed({ code: "demo_failed", message: "The demo was asked to fail." });
    return undefined;
  }
  if (done === steps) {
    await Promise.all([progress.percent(100), progress.done({ steps })]);
    return undefined;
  }
  const name = NAMES[done % NAMES.length] ?? NAMES[0];
  await Promise.all([
    progress.step({ i: done + 1, n: steps, name }),
    progress.percent(Math.round((100 * done) / steps)),
    progress.log(`${name}: part ${done + 1} of ${steps}`),
  ]);
  return done + 1;
}
