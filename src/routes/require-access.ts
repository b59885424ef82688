/**
 * Owns the one guard of all routes: whoever opens something by name passes here. Refuses to know what
 * the route does then.
 */
import { capabilitiesOn, permitFor } from "../auth/grants.ts";
import { expiryOf } from "../auth/principal.ts";
import { PERMIT_HEADER } from "../../durable-objects/platform/headers.ts";
import type { Capability, Kind } from "../protocol/capabilities.ts";
import { SluiceError } from "../protocol/errors.ts";
import { encodePermit } from "../protocol/permit.ts";
import type { AppContext } from "./app-env.ts";

/**
 * Lets a request pass whose caller may do this now.
 *
 * @throws SluiceError `forbidden`, with what is missing; `unauthorized` for a caller without a token;
 *   `token_expired`, which a request that takes long can meet.
 */
export function requireAccess(
  c: AppContext,
  kind: Kind,
  name: string,
  capability: Capability,
): void {
  const { principal, config, deps } = c.var;
  if ((expiryOf(principal) ?? Number.POSITIVE_INFINITY) <= deps.clock.now() / 1000) {
    throw new SluiceError("token_expired");
  }
  if (may(c, kind, name, capability)) return;
  if (principal.kind === "anonymous") throw new SluiceError("unauthorized");
  const missing = `${kind}/${name}:${capability}`;
  const isUnclaimed = principal.kind === "subject" && principal.claim === undefined;
  const hint =
    isUnclaimed && config.auth.defaultAccess.grants.length === 0
      ? " It has no claim `sluice`, and DEFAULT_ACCESS is not set."
      : "";
  throw new SluiceError("forbidden", {
    detail: `Your token does not allow ${capability} on ${kind}/${name}.${hint}`,
    members: { missing },
  });
}

/** Whether the caller may do this, for routes that then do something else. */
export function may(c: AppContext, kind: Kind, name: string, capability: Capability): boolean {
  const { principal, config } = c.var;
  return capabilitiesOn(principal, { kind, name }, config.auth.anonymousRead).has(capability);
}

/** What an object is told of a caller who has passed. */
export function permitHeaders(c: AppContext, kind: Kind, name: string): Record<string, string> {
  const { principal, config } = c.var;
  const permit = permitFor(principal, { kind, name }, config.auth.anonymousRead);
  return { [PERMIT_HEADER]: encodePermit(permit) };
}
