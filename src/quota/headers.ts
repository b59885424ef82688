/**
 * Owns how quotas are told over HTTP: `RateLimit` and `RateLimit-Policy` as structured fields (IETF
 * draft "RateLimit header fields for HTTP"). Refuses to know what is counted.
 */
import type { Standing } from "../../durable-objects/quota/counters.ts";

/** What a quota is called, and where it stands. */
export interface Shown extends Omit<Standing, "counter" | "windowMs"> {
  /** Letters, digits and `-`: it stands in a quoted string. */
  readonly policy: string;
  /** What is counted, if not requests. */
  readonly unit: string | undefined;
  /** Undefined for what is not counted over time. */
  readonly windowMs: number | undefined;
}

/** The fields' values for quotas as they stand at `now`. */
export function describeRateLimits(
  shown: readonly Shown[],
  now: number,
): { readonly policy: string; readonly limits: string } {
  return {
    policy: shown
      .map(({ policy, limit, unit, windowMs }) => {
        const quotaUnit = unit === undefined ? "" : `;qu="${unit}"`;
        const window = windowMs === undefined ? "" : `;w=${windowMs / 1000}`;
        return `"${policy}";q=${limit}${quotaUnit}${window}`;
      })
      .join(", "),
    limits: shown
      .map(({ policy, remaining, resetAt }) => {
        const seconds = secondsUntil(resetAt, now);
        return `"${policy}";r=${Math.max(0, remaining)};t=${seconds}`;
      })
      .join(", "),
  };
}

/** Seconds until a time, rounded up: who waits so long does not come too early. */
export function secondsUntil(time: number, now: number): number {
  return Math.max(1, Math.ceil((time - now) / 1000));
}
