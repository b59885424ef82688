/**
 * Owns the platform's coarse rate limits: whom they count, and how their refusals are told. Refuses to
 * know how they count. A binding says yes or no: how much is left is known only when nothing is.
 */
import { SluiceError } from "../protocol/errors.ts";
import { RATE_PERIOD_SECONDS } from "../protocol/limits.ts";
import { networkOf } from "../quota/address.ts";
import type { AppContext } from "./app-env.ts";

/**
 * Counts one request of an address, or of a token's subject, and refuses it when there were too many.
 *
 * @throws SluiceError `rate_limited`.
 */
export async function brake(
  c: AppContext,
  kind: "subject" | "address",
  name: string,
): Promise<void> {
  const { env, var: vars } = c;
  const limiter = kind === "subject" ? env.RATE_LIMITER : env.ADDRESS_RATE_LIMITER;
  const key = kind === "subject" ? name : networkOf(name);
  if (limiter === undefined || (await limiter.limit({ key })).success) return;
  const policy = `${kind}-rate`;
  const windowMs = RATE_PERIOD_SECONDS * 1_000;
  vars.shownQuotas.set(policy, {
    policy,
    unit: undefined,
    limit: vars.config.ratePerMinute[kind],
    remaining: 0,
    windowMs,
    resetAt: vars.deps.clock.now() + windowMs,
  });
  throw new SluiceError("rate_limited", {
    members: { quota: policy },
    retryAfter: RATE_PERIOD_SECONDS,
  });
}
