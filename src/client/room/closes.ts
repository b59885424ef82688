/** Owns what a close of a room's socket means for its client (P81). Refuses to close anything. */
import type { Failure } from "../transport.ts";

/** What a close is called when no error frame came before it, and what to do. */
const CLOSES: Readonly<Record<number, readonly [code: string, Failure["reconnect"]?]>> = {
  1000: ["left"],
  1009: ["frame_too_large"],
  4400: ["bad_frame"],
  4401: ["unauthorized", "refresh"],
  4403: ["not_allowed"],
  4404: ["not_found"],
  4410: ["slow_consumer", "backoff"],
  4429: ["rate_limited", "backoff"],
  4503: ["room_overloaded", "backoff"],
};

/**
 * The failure that a close is. Codes that are not in the table are the network's or a newer server's: come back.
 *
 * @param error what the server said last that was wrong with the connection.
 */
export function failureOfClose(
  close: number,
  error?: Pick<Failure, "code" | "message" | "retryAfterMs">,
): Failure {
  const [code, reconnect = "no"] = CLOSES[close] ?? ["network", "backoff"];
  return { code, message: `It was closed with ${close}.`, ...error, reconnect };
}
