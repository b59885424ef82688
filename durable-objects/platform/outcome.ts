/**
 * Owns how a call of an object ends for its caller in the Worker: classes do not survive the way, so
 * an error crosses as its facts. Refuses to know what was called.
 */
import { SluiceError, toSluiceError } from "../../src/protocol/errors.ts";
import { type ObjectKind, reporterFor } from "./report.ts";

/** What came of a call. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly code: SluiceError["code"];
      readonly detail: string;
      readonly retryAfter: number | undefined;
      readonly members: SluiceError["members"];
    };

/**
 * Makes an attempt whose error is one of the table's an {@link Outcome}. An
 * unexpected one is written to the log of `object`: its cause stays on this side.
 */
export async function outcome<T>(
  object: ObjectKind,
  attempt: () => T | Promise<T>,
): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await attempt() };
  } catch (thrown) {
    const error = toSluiceError(thrown);
    if (error.code === "internal") reporterFor(object)(error);
    const { code, detail, retryAfter, members } = error;
    return { ok: false, code, detail, retryAfter, members };
  }
}

/**
 * The value of an outcome, on the caller's side.
 *
 * @throws SluiceError what the attempt threw.
 */
export function unwrap<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  const { code, detail, retryAfter, members } = outcome;
  throw new SluiceError(code, {
    detail,
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(members === undefined ? {} : { members }),
  });
}
