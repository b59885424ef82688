/**
 * Owns how much each member may say, over all of its connections. Refuses to know what it says.
 *
 * An account outlives its member's connections until it is full again, so that coming back does not
 * fill it.
 */
import { MAX_RATE_STRIKES } from "../../src/protocol/limits.ts";
import type { Clock } from "../../src/stream/clock.ts";
import { type Rate, TokenBucket } from "./token-bucket.ts";

/** Why a member may not say more now. */
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

/** Accounts that are kept without asking whether they are needed. */
const FEW_ACCOUNTS = 64;

export class RateLimiter {
  readonly #clock: Clock;
  readonly #messageRate: Rate;
  readonly #byteRate: Rate;
  readonly #accounts = new Map<string, Account>();
  #pruneAt = FEW_ACCOUNTS;

  constructor(clock: Clock, rates: { readonly messages: Rate; readonly bytes: Rate }) {
    this.#clock = clock;
    this.#messageRate = rates.messages;
    this.#byteRate = rates.bytes;
  }

  /** Accounts that are kept. */
  get size(): number {
    return this.#accounts.size;
  }

  /** Counts one message of so many bytes; undefined when it may pass. */
  spend(member: string, bytes: number): Verdict | undefined {
    const account = this.#accountOf(member);
    const retryAfterMs = account.messages.take(1) || account.bytes.take(bytes);
    if (retryAfterMs === 0) {
      account.strikes = 0;
      return undefined;
    }
    account.strikes += 1;
    return { retryAfterMs, isHopeless: account.strikes > MAX_RATE_STRIKES };
  }

  /**
   * Counts messages that belong together, all of them or none; the milliseconds until they may pass, zero
   * when they may. Nobody becomes hopeless by it: there is no connection that could be closed.
   */
  spendTogether(member: string, sizes: readonly number[]): number {
    const { messages, bytes } = this.#accountOf(member);
    const size = sum(sizes);
    const retryAfterMs = Math.max(messages.waitFor(sizes.length), bytes.waitFor(size));
    if (retryAfterMs === 0) {
      messages.take(sizes.length);
      bytes.take(size);
    }
    return retryAfterMs;
  }

  /** Whether so much can never pass together; a message by itself can, however large it is. */
  isTooMuch(sizes: readonly number[]): boolean {
    if (sizes.length <= 1) return false;
    return sizes.length > this.#messageRate.burst || sum(sizes) > this.#byteRate.burst;
  }

  #accountOf(member: string): Account {
    let account = this.#accounts.get(member);
    if (account === undefined) {
      if (this.#accounts.size >= this.#pruneAt) this.#prune();
      account = {
        messages: new TokenBucket(this.#clock, this.#messageRate),
        bytes: new TokenBucket(this.#clock, this.#byteRate),
        strikes: 0,
      };
      this.#accounts.set(member, account);
    }
    return account;
  }

  /** Drops accounts that say no more than a new one would; seldom, because it looks at all of them. */
  #prune(): void {
    for (const [member, { messages, bytes }] of this.#accounts) {
      if (messages.isFull && bytes.isFull) this.#accounts.delete(member);
    }
    this.#pruneAt = Math.max(FEW_ACCOUNTS, 2 * this.#accounts.size);
  }
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
