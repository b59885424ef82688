/** Owns how much each connection may say. Refuses to know what it says. */
import { MAX_RATE_STRIKES } from "../../src/protocol/limits.ts";
import type { Clock } from "../../src/stream/clock.ts";
import type { Connection } from "./connection.ts";
import { type Rate, TokenBucket } from "./token-bucket.ts";

/** Why a connection may not say more now. */
export interface Verdict {
  /** Milliseconds after which it may. */
  readonly retryAfterMs: number;
  /** It was told so too often. */
  readonly isHopeless: boolean;
}

interface Account {
  readonly messages: TokenBucket;
  readonly bytes: TokenBucket;
  strikes: number;
}

export class RateLimiter {
  readonly #clock: Clock;
  readonly #messageRate: Rate;
  readonly #byteRate: Rate;
  readonly #accounts = new Map<Connection, Account>();

  constructor(clock: Clock, rates: { readonly messages: Rate; readonly bytes: Rate }) {
    this.#clock = clock;
    this.#messageRate = rates.messages;
    this.#byteRate = rates.bytes;
  }

  /** Counts one message of so many bytes; undefined when it may pass. */
  spend(connection: Connection, bytes: number): Verdict | undefined {
    let account = this.#accounts.get(connection);
    if (account === undefined) {
      account = {
        messages: new TokenBucket(this.#clock, this.#messageRate),
        bytes: new TokenBucket(this.#clock, this.#byteRate),
        strikes: 0,
      };
      this.#accounts.set(connection, account);
    }
    const retryAfterMs = account.messages.take(1) || account.bytes.take(bytes);
    if (retryAfterMs === 0) {
      account.strikes = 0;
      return undefined;
    }
    account.strikes += 1;
    return { retryAfterMs, isHopeless: account.strikes > MAX_RATE_STRIKES };
  }

  forget(connection: Connection): void {
    this.#accounts.delete(connection);
  }
}
