/**
 * Owns what a bad frame costs whoever sent it: one refused message, or the connection. Refuses to
 * know how either is carried out.
 */
import { CLOSE, type CloseEntry } from "./close-codes.ts";
import { type ErrorCode, SluiceError } from "./errors.ts";

/** Facts about one bad frame. */
interface FrameErrorFacts {
  /** The message that is refused, when it could be read. */
  readonly id?: string | undefined;
  /** With which code the connection ends; without one it goes on. */
  readonly close?: CloseEntry | undefined;
  /** A sentence for this occurrence. */
  readonly detail?: string;
  /** Which field is meant. */
  readonly param?: string;
}

/** A frame that is not accepted. The sender may see its code and detail. */
export class FrameError extends SluiceError {
  /** The refused message; undefined when the error is about no message. */
  readonly id: string | undefined;
  /** The close that must follow; undefined when the connection goes on. */
  readonly close: CloseEntry | undefined;

  constructor(code: ErrorCode, facts: FrameErrorFacts) {
    super(code, {
      ...(facts.detail === undefined ? {} : { detail: facts.detail }),
      ...(facts.param === undefined ? {} : { param: facts.param }),
    });
    this.id = facts.id;
    this.close = facts.close;
  }
}

/** An error that ends the connection, by default as a broken protocol. */
export function fatalFrame(
  code: ErrorCode,
  detail: string,
  close: CloseEntry = CLOSE.protocolError,
): FrameError {
  return new FrameError(code, { detail, close });
}
