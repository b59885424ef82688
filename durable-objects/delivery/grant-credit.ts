/** Owns how large a window a connection is granted. Refuses to know what is sent in it. */
import type { Credit } from "../../src/protocol/frames.ts";
import {
  DEFAULT_CREDIT_BYTES,
  DEFAULT_CREDIT_MESSAGES,
  MAX_CREDIT_BYTES,
  MAX_CREDIT_MESSAGES,
} from "../../src/protocol/limits.ts";

/** What was asked for, or the default, but not more than allowed here. */
export function grantCredit(credit: Credit | undefined, most: Credit | undefined): Credit {
  return {
    messages: Math.min(
      credit?.messages ?? DEFAULT_CREDIT_MESSAGES,
      most?.messages ?? MAX_CREDIT_MESSAGES,
    ),
    bytes: Math.min(credit?.bytes ?? DEFAULT_CREDIT_BYTES, most?.bytes ?? MAX_CREDIT_BYTES),
  };
}
