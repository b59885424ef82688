/**
 * Owns what the progress of a long job is called and in which order it is told: started, steps,
 * percent, log lines, and one end. Refuses to know where the events go and what the job does.
 */

/** One thing that happened, as a topic takes it. */
interface PublishedEvent {
  readonly event: string;
  readonly data: unknown;
  /** The same for the same event of the same piece of work, so that it is stored once. */
  readonly id: string;
}

/** One thing that happened to a job. */
export interface ProgressEvent extends PublishedEvent {
  readonly event: "started" | "step" | "percent" | "log" | "done" | "failed";
}

/** How a job ended, as its topic says it. */
export type ProgressEnd = "completed" | "failed";

/** Where a job's progress goes: a topic over HTTP, a topic's object, a list in a test. */
export interface EventPublisher {
  /** Resolves when the events, and after them the topic's end if there is one, are durable. */
  publish(events: readonly PublishedEvent[], end?: ProgressEnd): Promise<void>;
}

/** Events that travel together while others are on their way. */
const MAX_BATCH = 64;

/** A line is for people; what is longer belongs elsewhere. */
const MAX_LINE_CHARS = 4_096;

interface Batch {
  readonly events: ProgressEvent[];
  end?: ProgressEnd;
  readonly sent: Promise<void>;
}

/**
 * Tells a topic how a job is getting on. What is told in one turn, or while something is on its way,
 * travels together; order is kept without waiting. Each call resolves when its event is durable, and
 * rejects when it is not; who does not wait is not told.
 */
export class Progress {
  readonly #publisher: EventPublisher;
  readonly #key: string;
  #count = 0;
  #filling: Batch | undefined;
  #last: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(publisher: EventPublisher, key: string) {
    this.#publisher = publisher;
    this.#key = key;
  }

  /** The job has begun. */
  started(data: { readonly name?: string; readonly steps?: number } = {}): Promise<void> {
    return this.#tell("started", data);
  }

  /** Step `i` of `n` (from 1) begins. */
  step(data: { readonly i: number; readonly n: number; readonly name?: string }): Promise<void> {
    return this.#tell("step", data);
  }

  /** How much is done, from 0 to 100. */
  percent(percent: number): Promise<void> {
    if (!Number.isFinite(percent)) throw new RangeError("a percentage is a finite number");
    return this.#tell("percent", { percent: Math.min(100, Math.max(0, percent)) });
  }

  /** A line for people. */
  log(line: string): Promise<void> {
    const short = line.length > MAX_LINE_CHARS ? `${line.slice(0, MAX_LINE_CHARS - 1)}…` : line;
    return this.#tell("log", { line: short.toWellFormed() });
  }

  /** The job has succeeded; nothing can be told any more. */
  done(result?: unknown): Promise<void> {
    return this.#tell("done", { result: result ?? null }, "completed");
  }

  /** The job has failed; nothing can be told any more. */
  failed(error: { readonly code: string; readonly message: string }): Promise<void> {
    const { code, message } = error;
    return this.#tell("failed", { code, message }, "failed");
  }

  /** Not `async`: whoever does not wait must not be the cause of an unhandled rejection. */
  #tell(event: ProgressEvent["event"], data: unknown, end?: ProgressEnd): Promise<void> {
    if (this.#isOver) throw new TypeError("the job has ended already");
    this.#isOver = end !== undefined;
    const batch = this.#batch();
    batch.events.push({ event, data, id: `${this.#key}.${this.#count}` });
    this.#count += 1;
    if (end !== undefined) batch.end = end;
    return batch.sent;
  }

  #batch(): Batch {
    if (this.#filling !== undefined && this.#filling.events.length < MAX_BATCH) {
      return this.#filling;
    }
    const events: ProgressEvent[] = [];
    const sent = this.#last.then(async () => {
      if (this.#filling === batch) this.#filling = undefined;
      await this.#publisher.publish(events, batch.end);
    });
    const batch: Batch = { events, sent };
    this.#filling = batch;
    // What comes next is told even if this was not: a job does not fail because nobody heard of it.
    this.#last = sent.catch(() => {});
    return batch;
  }
}

/**
 * Makes a job's progress.
 *
 * @param key names this piece of work (up to 48 visible ASCII characters). When the same work is done
 *   again under the same key, after a crash, its events are stored once. Without one they are new.
 */
export function createProgress(
  publisher: EventPublisher,
  key: string = crypto.randomUUID(),
): Progress {
  return new Progress(publisher, key);
}
