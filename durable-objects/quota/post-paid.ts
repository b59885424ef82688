/**
 * Owns the counting of what is said over sockets: it is said first and counted soon after, many
 * messages together, so that no message waits for it. Refuses to know who counts.
 *
 * Who has used up its quota is refused from then on; until that is known, it can pass the quota by
 * what its rate lets it say within {@link POST_PAID_MS}, or {@link POST_PAID_MESSAGES}. What was known is
 * lost when the object sleeps, so the first message of each payer asks at once.
 */
import { DAY_MS, POST_PAID_MESSAGES, POST_PAID_MS } from "../../src/protocol/limits.ts";
import type { Clock } from "../../src/stream/clock.ts";
import type { Verdict, Want } from "./counters.ts";

/** Who pays for what is said on a socket. */
export interface SocketPayer {
  /** Of the object that counts, as text. */
  readonly quota: string;
  /** A day; 0 for as many as one likes. */
  readonly publishes: number;
  readonly bytes: number;
}

interface Account {
  readonly payer: SocketPayer;
  publishes: number;
  bytes: number;
  blockedUntil: number;
}

interface PostPaidOptions {
  readonly clock: Clock;
  /** Asks whoever counts; what fails is not counted. */
  readonly take: (quota: string, wants: readonly Want[]) => Promise<Verdict>;
}

export class PostPaid implements Disposable {
  readonly #options: PostPaidOptions;
  readonly #accounts = new Map<string, Account>();
  #disarm: (() => void) | undefined;

  constructor(options: PostPaidOptions) {
    this.#options = options;
  }

  /** Notes a message of so many bytes; the milliseconds until its payers may say more, if they may not now. */
  spend(payers: readonly SocketPayer[], bytes: number): number | undefined {
    if (payers.length === 0) return undefined;
    const now = this.#options.clock.now();
    const strangers = payers.filter(({ quota }) => !this.#accounts.has(quota));
    const accounts = payers.map((payer) => this.#account(payer));
    const blocked = Math.max(0, ...accounts.map(({ blockedUntil }) => blockedUntil - now));
    if (blocked > 0) return blocked;
    for (const account of accounts) {
      account.publishes += 1;
      account.bytes += bytes;
    }
    for (const { quota } of strangers) {
      const account = this.#accounts.get(quota);
      if (account !== undefined) void this.#settle(account);
    }
    if (accounts.some(({ publishes }) => publishes >= POST_PAID_MESSAGES)) this.flush();
    else this.#disarm ??= this.#arm();
    return undefined;
  }

  /** Has counted what was said so far. */
  flush(): void {
    this[Symbol.dispose]();
    const now = this.#options.clock.now();
    for (const [key, account] of this.#accounts) {
      if (account.publishes > 0) void this.#settle(account);
      else if (account.blockedUntil <= now) this.#accounts.delete(key);
    }
  }

  [Symbol.dispose](): void {
    this.#disarm?.();
    this.#disarm = undefined;
  }

  async #settle(account: Account): Promise<void> {
    const { payer, publishes, bytes } = account;
    account.publishes = 0;
    account.bytes = 0;
    const want = (counter: Want["counter"], limit: number, units: number): Want[] =>
      limit === 0 ? [] : [{ counter, limit, windowMs: DAY_MS, units, ahead: 0 }];
    let wants = [
      ...want("publishes", payer.publishes, publishes),
      ...want("bytes", payer.bytes, bytes),
    ];
    try {
      // Each that is refused is asked for once more.
      for (let left = wants.length; left >= 0 && wants.length > 0; left -= 1) {
        const verdict = await this.#options.take(payer.quota, wants);
        if (verdict.ok) return;
        const { counter, remaining, resetAt } = verdict.refused;
        account.blockedUntil = resetAt;
        // It was said already: it takes what there is, or the next would begin with that again.
        wants = wants
          .map((one) => (one.counter === counter ? { ...one, units: remaining } : one))
          .filter(({ units }) => units > 0);
      }
    } catch {}
  }

  #account(payer: SocketPayer): Account {
    const known = this.#accounts.get(payer.quota);
    if (known !== undefined) return known;
    const account = { payer, publishes: 0, bytes: 0, blockedUntil: 0 };
    this.#accounts.set(payer.quota, account);
    return account;
  }

  #arm(): () => void {
    return this.#options.clock.after(POST_PAID_MS, () => {
      this.#disarm = undefined;
      this.flush();
    });
  }
}

/** A payer as a tag of its socket, which outlives the object's sleep. */
export function encodePayer({ quota, publishes, bytes }: SocketPayer): string {
  return `pays:${quota}:${publishes}:${bytes}`;
}

/** The payers among a socket's tags. */
export function readPayers(tags: readonly string[]): SocketPayer[] {
  return tags.flatMap((tag) => {
    const [kind, quota = "", publishes, bytes] = tag.split(":");
    return kind === "pays" ? [{ quota, publishes: Number(publishes), bytes: Number(bytes) }] : [];
  });
}
