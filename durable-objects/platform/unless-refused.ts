/**
 * Owns what becomes of an object that wakes by itself, for its alarm, to a configuration that the Worker
 * refuses: it keeps what it has, and looks again. Refuses to know what was refused.
 */
import { SluiceError } from "../../src/protocol/errors.ts";
import { SWEEP_MS } from "../../src/protocol/limits.ts";
import { systemClock } from "../../src/stream/clock.ts";
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

/** When to look again; a configuration that was mended is read by whoever wakes then. */
export function whenToLookAgain(isRefused: boolean): number | undefined {
  return isRefused ? systemClock.now() + SWEEP_MS : undefined;
}
