/**
 * Owns whether a member may do now what it asks for: by its rate, its token and its quotas, in this order.
 * Whoever may not has been told. Refuses to know what it is that is asked for.
 */
import type { Capability } from "../../src/protocol/capabilities.ts";
import { CLOSE } from "../../src/protocol/close-codes.ts";
import { SluiceError } from "../../src/protocol/errors.ts";
import type { Clock } from "../../src/stream/clock.ts";
import type { Audience } from "../delivery/audience.ts";
import type { Connection } from "../delivery/connection.ts";
import { RateLimiter } from "../delivery/rate-limiter.ts";
import type { SocketLike } from "../delivery/socket.ts";
import type { Rate } from "../delivery/token-bucket.ts";

/** Counts what is said on a socket; the milliseconds until more may be said, if none may now. */
export type Spend = (socket: SocketLike, bytes: number) => number | undefined;

interface GateOptions {
  readonly audience: Pick<Audience, "refuse" | "end">;
  readonly clock: Clock;
  readonly rates: { readonly messages: Rate; readonly bytes: Rate };
  readonly spend: Spend | undefined;
}

export class Gate {
  readonly #audience: GateOptions["audience"];
  readonly #limiter: RateLimiter;
  readonly #rates: GateOptions["rates"];
  readonly #spend: Spend | undefined;

  constructor({ audience, clock, rates, spend }: GateOptions) {
    this.#audience = audience;
    this.#limiter = new RateLimiter(clock, rates);
    this.#rates = rates;
    this.#spend = spend;
  }

  /** Whether a connection's rate allows it to say so much. */
  maySpeak(connection: Connection, bytes: number, id?: string): boolean {
    const verdict = this.#limiter.spend(connection.member, bytes);
    if (verdict === undefined) return true;
    const retryAfter = verdict.retryAfterMs / 1000;
    this.#audience.refuse(connection, new SluiceError("rate_limited", { retryAfter }), id);
    if (verdict.isHopeless) this.#audience.end(connection, CLOSE.tooManyMessages);
    return false;
  }

  /**
   * Lets a request pass whose member may say all of it now, as if it were said over one of its connections.
   *
   * @throws SluiceError `rate_limited`; `invalid_request` when it is more than may ever be said at once.
   */
  admit(member: string, sizes: readonly number[]): void {
    if (this.#limiter.isTooMuch(sizes)) {
      const { messages, bytes } = this.#rates;
      throw new SluiceError("invalid_request", {
        detail: `A member may publish ${messages.burst} messages or ${bytes.burst} bytes at once here: send fewer in a request.`,
      });
    }
    const retryAfterMs = this.#limiter.spendTogether(member, sizes);
    if (retryAfterMs > 0) {
      throw new SluiceError("rate_limited", {
        detail:
          "This member publishes faster than this room allows: wait, then send the same again.",
        retryAfter: retryAfterMs / 1000,
      });
    }
  }

  /** Whether a connection's token allows something. */
  isAllowed(connection: Connection, capability: Capability, id?: string): boolean {
    if (connection.permit.can.includes(capability)) return true;
    const detail = `Your token does not allow ${capability} in this room.`;
    this.#audience.refuse(connection, new SluiceError("forbidden", { detail }), id);
    return false;
  }

  /** Whether a connection may send this message to others. */
  maySend(
    connection: Connection,
    capability: Capability,
    { id, bytes }: { readonly id: string; readonly bytes: number },
  ): boolean {
    if (!this.maySpeak(connection, bytes, id)) return false;
    if (!this.isAllowed(connection, capability, id)) return false;
    const waitMs = this.#spend?.(connection.socket, bytes);
    if (waitMs === undefined) return true;
    const retryAfter = waitMs / 1000;
    this.#audience.refuse(connection, new SluiceError("quota_exceeded", { retryAfter }), id);
    return false;
  }
}
