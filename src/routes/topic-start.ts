/** Owns where a reader of topics wants to begin. Refuses to know whether that is still stored. */
import { SluiceError } from "../protocol/errors.ts";
import type { Position, WelcomeFrame } from "../protocol/frames.ts";
import { MAX_HISTORY } from "../protocol/limits.ts";
import { START } from "../protocol/position.ts";
import type { GatewayStart } from "../sse/gateway.ts";
import type { AppContext } from "./app-env.ts";

/** The position that a reconnecting client names, if any; browsers do so by themselves. */
export function lastEventIdOf(c: AppContext): string | undefined {
  const id = c.req.header("last-event-id") ?? c.req.query("lastEventId");
  return id === "" ? undefined : id;
}

/**
 * Where a client without a position begins: `?from=start` (the default), `now`, or a number of newest
 * events.
 *
 * @throws SluiceError `invalid_request`.
 */
export function parseFrom(c: AppContext): GatewayStart {
  const from = c.req.query("from") ?? "start";
  if (from === "start") return { resume: START };
  if (from === "now") return {};
  const history = /^\d{1,6}$/.test(from) ? Number(from) : Number.POSITIVE_INFINITY;
  if (history > MAX_HISTORY) {
    throw new SluiceError("invalid_request", {
      detail: `Expected start, now, or a number of newest events up to ${MAX_HISTORY}.`,
      param: "from",
    });
  }
  return { history };
}

/**
 * The position before the first event a reader will get. Told at once, so that a reader whose
 * connection breaks before the first event loses nothing.
 */
export function startOf({ resume, history }: GatewayStart, welcome: WelcomeFrame): Position {
  if (resume !== undefined) return resume;
  return { epoch: welcome.epoch, seq: Math.max(0, welcome.head - (history ?? 0)) };
}
