/**
 * Owns the ways of events into a topic that exists: what is refused and why, what is a repetition, and
 * the end; all checks and what follows from them in one turn. Refuses to know readers and how long a
 * topic lives.
 */
import { essenceOf, formatOf } from "../../src/protocol/content-type.ts";
import { BATCH_BYTES, BATCH_MS } from "../../src/protocol/limits.ts";
import type { Clock } from "../../src/stream/clock.ts";
import type { Audience } from "../delivery/audience.ts";
import { Publisher } from "../delivery/publisher.ts";
import { checkRepetition } from "../delivery/repetition.ts";
import { DedupeWindow } from "../log/dedupe-window.ts";
import { nameOf } from "../log/message-key.ts";
import { type Append, type AppendOutcome, type NewEvent, refusalOf } from "./appending.ts";
import { type Ending, toTerminal } from "./ending.ts";
import { isSameStamp, Producers } from "./producers.ts";
import type { TopicLog } from "./topic-log.ts";

/**
 * Milliseconds that a flush costs for each reader, whatever is in it: under load events wait for as long
 * as telling of the last ones takes, so that more of them share a flush.
 */
const READER_MS = 0.05;
const MAX_BATCH_MS = 100;
/** Readers from which on telling them takes longer than a batch of a few readers waits. */
const MANY_READERS = 250;

interface TopicWriterOptions {
  readonly log: TopicLog;
  readonly clock: Clock;
  readonly audience: Pick<Audience, "deliver" | "isDelivering" | "size">;
  /** The topic has ended just now. */
  readonly ended: (ending: Ending) => void;
}

export class TopicWriter {
  readonly #log: TopicLog;
  readonly #dedupe: DedupeWindow;
  readonly #publisher: Publisher;
  readonly #ended: (ending: Ending) => void;
  #producers: Producers;

  constructor({ log, clock, audience, ended }: TopicWriterOptions) {
    this.#log = log;
    this.#ended = ended;
    this.#dedupe = new DedupeWindow(log);
    this.#producers = new Producers(log.readNote());
    this.#publisher = new Publisher({
      log,
      dedupe: this.#dedupe,
      audience,
      clock,
      get batchMs() {
        return Math.min(MAX_BATCH_MS, BATCH_MS + audience.size * READER_MS);
      },
      batchBytes: BATCH_BYTES,
      isCostly: () => audience.size >= MANY_READERS,
      note: () => this.#producers.encode(),
    });
  }

  /** Bytes that wait for a flush. */
  get pendingBytes(): number {
    return this.#publisher.pendingBytes;
  }

  /** Makes everything that waits durable now. */
  flush(): void {
    this.#publisher.flush();
  }

  /** The topic is a new one, or none any more: nobody has written to it. */
  forget(): void {
    this.#producers = new Producers("");
  }

  /**
   * Appends and closes, each if asked for; resolves when it is durable.
   *
   * @throws SluiceError `idempotency_conflict`, or what the log says.
   */
  async append(request: Append): Promise<AppendOutcome> {
    const { events, producer, order, close } = request;
    const refusal = this.#refuse(request);
    if (refusal !== undefined) return refusal;
    this.#checkKey(request);
    // From here to the flush nothing waits: producer, order, events and end are one step.
    if (producer !== undefined) this.#producers.accept(producer);
    if (order !== undefined) this.#producers.takeOrder(order);
    let isStored = true;
    const stored = this.#publisher.publishAll(events, () => {
      isStored = false;
    });
    if (producer !== undefined || order !== undefined || close !== undefined) {
      this.#publisher.flush();
    }
    // An end after events that are not there would say that nothing is missing.
    if (close !== undefined && isStored) this.#close({ ...close, by: producer });
    try {
      return { kind: "appended", seqs: await stored };
    } catch (thrown) {
      this.#producers = new Producers(this.#log.readNote());
      throw thrown;
    }
  }

  /** Why a request is not carried out; what is asked first counts. */
  #refuse(request: Append): AppendOutcome | undefined {
    const { events, contentType, producer, order, close } = request;
    const { ending } = this.#log;
    if (ending !== undefined) {
      if (isSameStamp(ending.by, producer))
        return { kind: "duplicate", newestSeq: ending.by?.seq ?? 0 };
      if (events.length === 0 && close !== undefined) return { kind: "appended", seqs: [] };
      this.#checkKey(request);
      return this.#findRepeated(events) ?? { kind: "closed" };
    }
    const own = this.#log.settings?.contentType ?? contentType;
    const nameOf = request.isExactType === true ? essenceOf : formatOf;
    if (events.length > 0 && nameOf(own) !== nameOf(contentType)) {
      return { kind: "wrong_type", contentType: own };
    }
    if (producer !== undefined) {
      const verdict = this.#producers.judge(producer);
      if (verdict.kind !== "new") {
        // What is repeated may not be durable yet.
        this.#publisher.flush();
        return refusalOf(verdict);
      }
    }
    if (order !== undefined && !this.#producers.isInOrder(order)) return { kind: "out_of_order" };
    return undefined;
  }

  /** A publisher that did not hear of its success before the end is told now. */
  #findRepeated(events: readonly NewEvent[]): AppendOutcome | undefined {
    const seqs = events.map((event) => this.#dedupe.find(nameOf(event)));
    const known = seqs.filter((seq) => seq !== undefined);
    return known.length > 0 && known.length === seqs.length
      ? { kind: "appended", seqs: known }
      : undefined;
  }

  #checkKey({ events, key }: Append): void {
    if (key === undefined) return;
    // What waits may be of the same key.
    this.#publisher.flush();
    const { stored: log } = this.#log;
    if (log !== undefined) checkRepetition({ log, dedupe: this.#dedupe }, events, key);
  }

  #close(ending: Ending): void {
    this.#log.stored?.close(toTerminal(ending));
    this.#ended(ending);
  }
}
