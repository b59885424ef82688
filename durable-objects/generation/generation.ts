/**
 * Owns one answer of a model: started once, written to a log by a pump, read from it by any number of
 * viewers, ended once (I6). Made from storage and sockets. Refuses to know providers, and the
 * platform's names for things.
 *
 * A pump lives in memory. An answer that is found without an end and without a pump was cut off by a
 * restart: it ends as interrupted.
 */
import { type Ending, factsOf, type Outcome, parseEnding } from "../../src/llm/ending.ts";
import { Tally } from "../../src/llm/tally.ts";
import { readEntries } from "../../src/protocol/entries.ts";
import { decodeValue } from "../../src/protocol/value.ts";
import type { Chunk } from "../../src/llm/chunk.ts";
import { CLOSE } from "../../src/protocol/close-codes.ts";
import { SluiceError, toSluiceError } from "../../src/protocol/errors.ts";
import {
  GENERATION_PULSE_MS,
  MAX_HISTORY,
  PAGE_BYTES,
  SWEEP_MS,
  VIEWER_PATIENCE_MS,
} from "../../src/protocol/limits.ts";
import type { Clock, Random } from "../../src/stream/clock.ts";
import { Audience } from "../delivery/audience.ts";
import type { Host } from "../delivery/host.ts";
import type { Connection } from "../delivery/connection.ts";
import type { SocketLike } from "../delivery/socket.ts";
import { type Log, openLog } from "../log/log.ts";
import type { Sql } from "../log/sql.ts";
import type { Asked } from "./ask.ts";
import { type Entries, Pump } from "./pump.ts";
import { type GenerationRecord, parseRecord } from "./record.ts";
import { Abandonment } from "./when-abandoned.ts";

/** What a generation is given from outside. */
export interface GenerationContext {
  readonly id: string;
  readonly sql: Sql;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: () => string;
  /** Milliseconds that tokens wait for a row at most. */
  readonly flushMs: number;
  /** Milliseconds that the finished answer is kept; infinite where nobody knows, and it is asked again. */
  readonly ttlMs: number;
  /** Sockets that are open already: those of an object that has slept. */
  readonly sockets: readonly SocketLike[];
  readonly lastBeat: (socket: SocketLike) => number | undefined;
  readonly report: (error: SluiceError) => void;
  /** Calls `write`, which writes the answer's end down, and writes what is to be told of it: both or neither. */
  readonly ending: (end: End, write: () => void) => void;
  /** Told once that the answer has ended, in whatever way. */
  readonly ended: (end: End) => void;
}

/** How an answer has ended. */
export interface End {
  readonly id: string;
  readonly record: GenerationRecord;
  readonly outcome: Outcome;
  readonly ending: Ending;
}

/** What an answer begins with. */
interface Beginning {
  readonly record: GenerationRecord;
  /** The request, as JSON, when it is kept so that it can be asked again. */
  readonly request: string | undefined;
}

/** An answer that is being written. */
interface Run {
  readonly pump: Pump;
  readonly tally: Tally;
  readonly abandonment: Abandonment;
  /** Closes the provider's socket. */
  readonly abort: () => void;
  firstChunkMs: number | null;
}

/** How an answer ends whose last tokens are still to be stored. */
interface HowItEnds {
  outcome: Outcome;
  error: SluiceError | undefined;
}

const RECORD = "record";
const REQUEST = "request";
const FOLLOWED_BY = "followed_by";

export class Generation implements Host {
  readonly log: Log;
  readonly audience: Audience;
  readonly record: GenerationRecord;
  readonly #context: GenerationContext;
  #followedBy: string | null = null;
  #run: Run | undefined;
  #ending: HowItEnds | undefined;

  /** Takes up the generation in storage, or begins one. */
  constructor(context: GenerationContext, beginning?: Beginning) {
    const { sql, clock, random, newId, sockets, lastBeat, report } = context;
    this.#context = context;
    this.log = openLog(sql, { clock, random, retention: {} });
    this.audience = new Audience({
      log: this.log,
      clock,
      random,
      newId,
      settings: {
        laggards: "replay",
        patienceMs: VIEWER_PATIENCE_MS,
        joinRate: { perSecond: 500, burst: 2_000 },
        maxConnections: 20_000,
      },
      lastBeat,
      report,
      host: this,
    });
    if (beginning === undefined) {
      this.record = parseRecord(this.log.settings.get(RECORD) ?? "");
      this.#followedBy = this.log.settings.get(FOLLOWED_BY) ?? null;
      this.audience.restore(sockets);
    } else {
      const { record, request } = beginning;
      this.record = record;
      const json = JSON.stringify(record);
      this.log.settings.setAll({
        [RECORD]: json,
        ...(request === undefined ? {} : { [REQUEST]: request }),
      });
    }
  }

  /** Whether it is being written, by a pump that lives. */
  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /** The model that answers, by its own account; as it was asked for while it has not said. */
  get model(): string {
    const { state } = this.log;
    const said =
      state.kind === "open" ? this.#run?.tally.model : parseEnding(state.terminal.data).model;
    return said ?? this.record.model;
  }

  /** The request, when it was kept. */
  get request(): string | undefined {
    return this.log.settings.get(REQUEST);
  }

  /** The generation that was last asked for in its place. */
  get followedBy(): string | null {
    return this.#followedBy;
  }

  set followedBy(id: string) {
    this.log.settings.set(FOLLOWED_BY, id);
    this.#followedBy = id;
  }

  /** Ends what a restart has cut off, and what could not be ended. */
  settle(): void {
    if (this.log.state.kind === "open" && this.#run === undefined) this.#end("interrupted");
  }

  /**
   * Writes the answer down as it comes; resolves when it has ended.
   *
   * @param said chunks that it begins with, as JSON: they were said before.
   */
  async run(answer: Asked, said: readonly string[]): Promise<void> {
    const { id, clock, flushMs } = this.#context;
    using asked = answer;
    using pump = new Pump({
      id,
      created: Math.floor(this.record.startedAt / 1000),
      clock,
      flushMs,
      store: (flush) => {
        try {
          this.#store(flush);
        } catch (thrown) {
          this.#fail(thrown);
        }
      },
    });
    using abandonment = new Abandonment({
      policy: this.record.whenAbandoned,
      clock,
      abandoned: () => {
        this.stop();
      },
    });
    const run: Run = {
      pump,
      tally: new Tally(),
      abandonment,
      abort: () => {
        asked.abort(new DOMException("The answer was stopped.", "AbortError"));
      },
      firstChunkMs: null,
    };
    this.#run = run;
    try {
      pump.repeat(said);
      for await (const batch of asked.chunks) {
        if (this.#run !== run) return;
        run.firstChunkMs ??= clock.now() - this.record.startedAt;
        for (const { chunk } of batch) run.tally.add(chunk);
        pump.push(batch);
      }
      this.#end("completed");
    } catch (thrown) {
      // After a stop the end is written already, and what is thrown is the stop.
      if (this.#run === run) this.#fail(thrown);
    }
  }

  /** Stops it, wherever it is; an answer that has ended stays as it is. */
  stop(): void {
    if (this.#run === undefined) this.settle();
    else this.#end("stopped");
  }

  /** Ends what is still to be ended, and gives up viewers that are dead or stalled. */
  sweep(): void {
    this.settle();
    this.audience.sweep();
  }

  /** When to be awake next although nothing happens, in milliseconds since 1970. */
  get dueAt(): number {
    const { clock, ttlMs } = this.#context;
    const { state } = this.log;
    const looksAt = clock.now() + (state.kind === "open" ? GENERATION_PULSE_MS : SWEEP_MS);
    const own =
      state.kind === "open" || !Number.isFinite(ttlMs) ? looksAt : state.terminal.at + ttlMs;
    return Math.min(own, this.audience.nextSweepAt() ?? own);
  }

  /** Whether it has been kept for as long as it is to be. */
  get isExpired(): boolean {
    const { clock, ttlMs } = this.#context;
    const { state } = this.log;
    return state.kind === "closed" && clock.now() >= state.terminal.at + ttlMs;
  }

  /** Stops it and sends its viewers away, before all of it is deleted. */
  remove(): void {
    this.stop();
    this.audience.endAll(CLOSE.roomGone);
  }

  onServed(): void {
    this.#run?.abandonment.watchedBy(this.audience.size);
  }

  onGone(): void {
    this.#run?.abandonment.watchedBy(this.audience.size);
  }

  /** A viewer was there before the answer, and has left before it, too. */
  onMissed(): void {
    this.#run?.abandonment.watchedBy(this.audience.size + 1);
    this.onGone();
  }

  onLive(connection: Connection): void {
    const { state } = this.log;
    if (state.kind === "open") return;
    const { outcome, data } = state.terminal;
    this.audience.send(connection, { kind: "end", outcome, data });
    this.audience.end(connection, CLOSE.left);
  }

  /** In one turn: the runtime holds back what is sent until the row is durable (I2). */
  #store(flush: Entries): void {
    const { first } = this.log.append({ ...flush, ids: "" });
    this.audience.deliver({ first, ...flush });
  }

  #fail(thrown: unknown): void {
    const error = toSluiceError(thrown);
    if (error.code === "internal") this.#context.report(error);
    // The last tokens could not be stored: the answer ends once, and so.
    if (this.#ending === undefined) this.#end("failed", error);
    else {
      this.#ending.outcome = "failed";
      this.#ending.error = error;
    }
  }

  /** Whatever fails here, the provider's request is over; an end that could not be written is by {@link settle}. */
  #end(outcome: Outcome, error?: SluiceError): void {
    const run = this.#run;
    this.#run = undefined;
    const ending: HowItEnds = { outcome, error };
    this.#ending = ending;
    try {
      run?.pump.flush();
      this.#close(run, ending);
    } catch (cause) {
      this.#context.report(new SluiceError("internal", { cause }));
    } finally {
      this.#ending = undefined;
      run?.abort();
      run?.abandonment[Symbol.dispose]();
    }
  }

  #close(run: Run | undefined, { outcome, error }: HowItEnds): void {
    const tally = run?.tally ?? this.#recount();
    const ending: Ending = {
      error: error === undefined ? null : factsOf(error),
      finishReason: tally.finishReason ?? null,
      model: tally.model ?? null,
      usage: tally.settle(this.record.promptChars),
      firstChunkMs: run?.firstChunkMs ?? null,
      durationMs: this.#context.clock.now() - this.record.startedAt,
    };
    const end: End = { id: this.#context.id, record: this.record, outcome, ending };
    // The log last: it knows that it has ended when it has, and not when it is taken back.
    this.#context.ending(end, () => this.log.close({ outcome, data: JSON.stringify(ending) }));
    for (const connection of this.audience.connections()) {
      if (connection.phase.kind === "live") this.onLive(connection);
    }
    this.#context.ended(end);
  }

  /** The count of what is stored, for an answer whose own was lost with the object's memory. */
  #recount(): Tally {
    const tally = new Tally();
    // What was said before was paid for before.
    let seq = this.record.said;
    while (seq < this.log.tail) {
      const page = this.log.readAfter(seq, { maxBytes: PAGE_BYTES, maxEntries: MAX_HISTORY });
      if (page.kind === "gap") break;
      for (const { payload } of readEntries(page.entries)) {
        tally.add(JSON.parse(String(decodeValue(payload))) as Chunk);
      }
      seq = page.last;
    }
    return tally;
  }
}
