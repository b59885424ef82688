/**
 * Owns how an object that wakes by itself, for its alarm, reads a configuration that the Worker refuses:
 * it says so and goes on. Refuses to know what the object does without.
 */
import { SluiceError } from "../../src/protocol/errors.ts";
import { type ObjectKind, reportRefused } from "./report.ts";

/** Settings; undefined when they are refused, which is told to the log. */
export function unlessRefused<Settings>(
  read: () => Settings,
  object: ObjectKind,
): Settings | undefined {
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof SluiceError) || thrown.code !== "misconfigured") throw thrown;
    reportRefused(thrown, object);
    return undefined;
  }
}
