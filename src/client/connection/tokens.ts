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

/**
 * Gives the token to use.
 *
 * @param refused the one that the server would not have, so that another is got, once for all who
 *   had the same.
 * @throws ClientError `token` when the application's function fails.
 */
export type Tokens = (refused?: string) => Promise<string | undefined>;

/** The tokens that the application gives. */
export function tokensOf(source: string | TokenFunction | undefined, clock: Clock): Tokens {
  let current: string | undefined;
  /** Milliseconds since 1970 until which it is used. */
  let until = 0;
  let pending: Promise<string | undefined> | undefined;

  const ask = async (give: TokenFunction): Promise<string | undefined> => {
    try {
      current = await give();
      const end = endOf(current);
      until = end - Math.min(MARGIN_MS, (end - clock.now()) / 2);
      return current;
    } catch (cause) {
      throw new ClientError("token", "The token is not given.", { cause });
    }
  };

  return async (refused) => {
    if (typeof source !== "function") return source;
    const isUsable = current !== undefined && current !== refused && until > clock.now();
    if (isUsable) return current;
    pending ??= ask(source).finally(() => {
      pending = undefined;
    });
    return await pending;
  };
}

/** When a JWT says that it ends, in milliseconds since 1970; never, where it does not say. */
function endOf(token = ""): number {
  const end = claimsOf(token)?.["exp"];
  return typeof end === "number" ? end * 1000 : Infinity;
}
