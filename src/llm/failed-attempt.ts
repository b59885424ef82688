/**
 * Owns what the operator learns of an attempt that failed: which provider, where, and what kind of
 * failure. Refuses to repeat what anybody else wrote (I9): of a cause only its class has a name.
 */
import type { SluiceError } from "../protocol/errors.ts";
import type { Upstream } from "./upstream.ts";

/** Causes of causes that are named: the SDK's, the runtime's, and one to spare. */
const MAX_CAUSES = 3;

/** A line for the log. */
export function describeFailedAttempt(
  { name, host }: Upstream,
  { code, detail, cause }: SluiceError,
): Readonly<Record<string, string>> {
  const causes = namesOf(cause);
  return {
    level: "warn",
    code,
    detail,
    upstream: name,
    host,
    ...(causes.length === 0 ? {} : { cause: causes.join(" < ") }),
  };
}

/** The classes of an error and of what caused it. */
function namesOf(thrown: unknown): readonly string[] {
  const names: string[] = [];
  for (let error = thrown; error instanceof Error && names.length < MAX_CAUSES;) {
    names.push(error.constructor.name);
    error = error.cause;
  }
  return names;
}
