/** Owns what may be asked of a topic's log and what may come of it. Refuses to do it. */
import type { Raw } from "../../src/protocol/frames.ts";
import type { RequestKey } from "../delivery/repetition.ts";
import type { Terminal } from "../log/stored-state.ts";
import type { ProducerStamp, Verdict } from "./producers.ts";

/** An event that may enter a topic. Its data is encoded as the topic's content type asks. */
export interface NewEvent {
  readonly event: string;
  readonly payload: Raw;
  /** Repeated within the dedupe window under the same sender, it is stored once; empty for none. */
  readonly id: string;
  /** Who publishes, as far as ids go; empty for nobody in particular. */
  readonly sender: string;
}

/** Events that become durable together, and what they depend on. */
export interface Append {
  readonly events: readonly NewEvent[];
  /** What the events' data is. */
  readonly contentType: string;
  /** Refuse every other type, not only those whose data is carried otherwise. */
  readonly isExactType?: boolean;
  /** Make the topic, with default settings, when there is none. */
  readonly create?: boolean;
  /** The request's key: under the same one the same was stored before, or nothing. */
  readonly key?: RequestKey;
  /** The request of an idempotent producer that this is. */
  readonly producer?: ProducerStamp | undefined;
  /** A place in the writers' own order: text that is greater than any before. */
  readonly order?: string | undefined;
  /** End the topic after these events, in the same step. */
  readonly close?: { readonly outcome: Terminal["outcome"]; readonly data: string } | undefined;
}

/** What came of it. Only `appended` has stored anything. */
export type AppendResult = AppendOutcome & {
  /** The topic's position after it all. */
  readonly epoch: string;
  readonly tail: number;
  readonly isClosed: boolean;
};

/** What came of asking for a topic with settings and first events. */
export interface Opened {
  /** `gone`: it was deleted, and forks of it live. */
  readonly result: "created" | "same" | "different" | "gone";
  readonly epoch: string;
  readonly tail: number;
  readonly isClosed: boolean;
}

/** The part of {@link AppendResult} that differs. */
export type AppendOutcome =
  /** The sequence numbers of the events, in their order; of a repeated one, the one it has. */
  | { readonly kind: "appended"; readonly seqs: readonly number[] }
  /** The producer's request was taken before. */
  | { readonly kind: "duplicate"; readonly newestSeq: number }
  | { readonly kind: "missing" }
  | { readonly kind: "closed" }
  | { readonly kind: "wrong_type"; readonly contentType: string }
  | { readonly kind: "out_of_order" }
  | { readonly kind: "producer_stale"; readonly newestEpoch: number }
  | { readonly kind: "producer_ahead"; readonly expectedSeq: number }
  | { readonly kind: "producer_invalid" };

/** Why a producer's request that is not a new one is not carried out. */
export function refusalOf(verdict: Exclude<Verdict, { kind: "new" }>): AppendOutcome {
  switch (verdict.kind) {
    case "duplicate":
      return verdict;
    case "stale":
      return { kind: "producer_stale", newestEpoch: verdict.newestEpoch };
    case "ahead":
      return { kind: "producer_ahead", expectedSeq: verdict.expectedSeq };
    case "invalid":
      return { kind: "producer_invalid" };
  }
}
