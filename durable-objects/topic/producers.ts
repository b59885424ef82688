/**
 * Owns which requests of idempotent producers were accepted, and the order that writers give
 * themselves. Stored with the events they came with, so that both are durable together or not at
 * all, at no row of its own. Refuses to know events and protocols.
 */
import { MAX_PRODUCERS } from "../../src/protocol/limits.ts";

/** Which request of which life of which producer this is. */
export interface ProducerStamp {
  readonly id: string;
  readonly epoch: number;
  /** Counts the requests of an epoch from 0. */
  readonly seq: number;
}

/** What is to be done with a request. */
export type Verdict =
  | { readonly kind: "new" }
  /** It was accepted before. */
  | { readonly kind: "duplicate"; readonly newestSeq: number }
  /** A newer life of the producer has written since. */
  | { readonly kind: "stale"; readonly newestEpoch: number }
  /** A request before it is missing. */
  | { readonly kind: "ahead"; readonly expectedSeq: number }
  /** A new life begins with request 0. */
  | { readonly kind: "invalid" };

interface Known {
  readonly epoch: number;
  readonly seq: number;
}

type Stored = readonly [order: string | null, producers: readonly [string, number, number][]];

export class Producers {
  /** The one that wrote last is last. */
  readonly #known: Map<string, Known>;
  #order: string | undefined;

  /** @param note what {@link encode} gave, or nothing. */
  constructor(note: string) {
    // Written by this class and nobody else.
    const [order, producers] = note === "" ? [null, []] : (JSON.parse(note) as Stored);
    this.#order = order ?? undefined;
    this.#known = new Map(producers.map(([id, epoch, seq]) => [id, { epoch, seq }]));
  }

  judge({ id, epoch, seq }: ProducerStamp): Verdict {
    const known = this.#known.get(id);
    if (known === undefined) return seq === 0 ? { kind: "new" } : { kind: "ahead", expectedSeq: 0 };
    if (epoch < known.epoch) return { kind: "stale", newestEpoch: known.epoch };
    if (epoch > known.epoch) return { kind: seq === 0 ? "new" : "invalid" };
    if (seq <= known.seq) return { kind: "duplicate", newestSeq: known.seq };
    const expectedSeq = known.seq + 1;
    return seq === expectedSeq ? { kind: "new" } : { kind: "ahead", expectedSeq };
  }

  /** Takes note of a request that was judged new. */
  accept({ id, epoch, seq }: ProducerStamp): void {
    this.#known.delete(id);
    this.#known.set(id, { epoch, seq });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_PRODUCERS && oldest !== undefined) this.#known.delete(oldest);
  }

  /** Whether `order` comes after the last one that was taken, compared as text. */
  isInOrder(order: string): boolean {
    return this.#order === undefined || order > this.#order;
  }

  takeOrder(order: string): void {
    this.#order = order;
  }

  /** One line that holds everything; empty when there is nothing. */
  encode(): string {
    if (this.#order === undefined && this.#known.size === 0) return "";
    const producers = [...this.#known].map(([id, { epoch, seq }]) => [id, epoch, seq]);
    return JSON.stringify([this.#order ?? null, producers]);
  }
}

/** Whether both are the same request of a producer. */
export function isSameStamp(a: ProducerStamp | undefined, b: ProducerStamp | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.id === b.id && a.epoch === b.epoch && a.seq === b.seq;
}
