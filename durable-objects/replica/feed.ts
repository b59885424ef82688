/** Owns what a log's object and the replicas of the log say to each other. Refuses to know how it is carried. */
import type { Gap, Page } from "../log/log.ts";

/** How far a log reaches. */
export interface Standing {
  readonly epoch: string;
  /** Sequence number of the oldest stored entry. */
  readonly head: number;
  readonly tail: number;
}

/** What a replica is given: entries that follow those it has, or that they are no longer stored. */
export interface Push {
  readonly epoch: string;
  /** What lies before it is forgotten. */
  readonly head: number;
  readonly page: Page | Gap;
}

/** What a replica says to that. */
export type PushAnswer =
  /** It has everything up to here, and wants what follows. */
  | { readonly kind: "following"; readonly seq: number }
  /** Nobody reads it: it wants nothing more, until it asks again. */
  | { readonly kind: "idle" };
