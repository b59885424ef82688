/**
 * Owns what a log and its mailbox write down about themselves besides their rows, and its reading
 * back. Refuses to know when.
 */
import type { Mark } from "./retention.ts";

/** How a finite stream ended (I6). */
const OUTCOMES = ["completed", "stopped", "failed", "interrupted"] as const;

/** The durable end of a log. */
export interface Terminal {
  readonly outcome: (typeof OUTCOMES)[number];
  /** What the owner wants to say about the end; opaque to the log. */
  readonly data: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/** Where a log without rows ends, and when its last row was written. */
interface Floor extends Mark {
  readonly at: number;
}

/** Reads a terminal back. */
export function parseTerminal(text: string): Terminal {
  const { outcome, data, at } = JSON.parse(text) as Record<keyof Terminal, unknown>;
  const known = OUTCOMES.find((one) => one === outcome);
  if (known === undefined || typeof data !== "string" || typeof at !== "number") throw damaged();
  return { outcome: known, data, at };
}

/** Reads a floor back. */
export function parseFloor(text: string): Floor {
  const { seq, bytes, rows, at } = JSON.parse(text) as Record<keyof Floor, unknown>;
  if (
    typeof seq !== "number" ||
    typeof bytes !== "number" ||
    typeof rows !== "number" ||
    typeof at !== "number"
  ) {
    throw damaged();
  }
  return { seq, bytes, rows, at };
}

/** The last number that a mailbox has given, and when. */
export interface MailEnd {
  readonly number: number;
  readonly at: number;
}

/** Reads the end of a mailbox back. */
export function parseMailEnd(text: string): MailEnd {
  const { number, at } = JSON.parse(text) as Record<keyof MailEnd, unknown>;
  if (typeof number !== "number" || typeof at !== "number") throw damaged();
  return { number, at };
}

const damaged = (): Error => new Error("the log's stored state is damaged");
