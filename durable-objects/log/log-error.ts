/**
 * Owns the refusals of a log. Refuses to know how a door words them for its clients.
 */

/** Why a log did not take a flush: it has ended, the flush must be split, or it holds nothing. */
export type LogRefusal = "log_closed" | "flush_too_large" | "flush_empty";

/** Thrown instead of storing; nothing was written. */
export class LogError extends Error {
  override readonly name = "LogError";
  readonly code: LogRefusal;

  constructor(code: LogRefusal) {
    super(code);
    this.code = code;
  }
}
