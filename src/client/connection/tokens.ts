/**
 * Owns the token: where it comes from and when another is needed. Whether a token is good is the
 * server's to say; here it is only looked at for the time at which it says itself that it ends.
 */
import { claimsOf } from "../claims.ts";
import { ClientError } from "../errors.ts";
import type { Clock, TokenFunction } from "../options.ts";

/**
 * Milliseconds before its end at which a token is no longer used, because requests take time and clocks
 * differ; or half of what it had left when it came, if that is less.
 */
const MARGIN_MS = 5_000;

export class Tokens {
  readonly #source: string | TokenFunction | undefined;
  readonly #clock: Clock;
  #current: string | undefined;
  /** Milliseconds since 1970 until which it is used. */
  #until = 0;
  #pending: Promise<string | undefined> | undefined;

  constructor(source: string | TokenFunction | undefined, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /**
   * The token to use.
   *
   * @param refused the one that the server would not have, so that another is got, once for all who
   *   had the same.
   * @throws ClientError `token` when the application's function fails.
   */
  async get(refused?: string): Promise<string | undefined> {
    const source = this.#source;
    if (typeof source !== "function") return source;
    const current = this.#current;
    const isUsable = current !== undefined && current !== refused;
    if (isUsable && this.#until > this.#clock.now()) return current;
    this.#pending ??= this.#ask(source).finally(() => {
      this.#pending = undefined;
    });
    return await this.#pending;
  }

  async #ask(source: TokenFunction): Promise<string | undefined> {
    try {
      const token = await source();
      const end = endOf(token);
      this.#until = end - Math.min(MARGIN_MS, (end - this.#clock.now()) / 2);
      this.#current = token;
      return token;
    } catch (cause) {
      throw new ClientError("token", "The token is not given.", { cause });
    }
  }
}

/** When a JWT says that it ends, in milliseconds since 1970; never, where it does not say. */
function endOf(token = ""): number {
  const end = claimsOf(token)?.["exp"];
  return typeof end === "number" ? end * 1000 : Infinity;
}
