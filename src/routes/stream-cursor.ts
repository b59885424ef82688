/**
 * Owns the cursor of live reads: it makes URLs change with time, so that no cache serves an empty
 * answer for ever. Refuses to know what is read.
 */
import type { AppContext } from "./app-env.ts";

/** The protocol counts from 9 October 2024, in steps of 20 seconds. */
const BEGAN_AT = Date.UTC(2024, 9, 9);
const STEP_MS = 20_000;
const MAX_JITTER_STEPS = 180;

/** The cursor for an answer: the step of now, or one beyond what the client has. */
export function nextCursor(c: AppContext): string {
  const { deps } = c.var;
  const now = Math.floor((deps.clock.now() - BEGAN_AT) / STEP_MS);
  const text = c.req.query("cursor") ?? "";
  const sent = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (sent < now) return String(now);
  return String(sent + 1 + Math.floor(deps.random() * MAX_JITTER_STEPS));
}
