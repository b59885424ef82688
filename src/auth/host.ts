/** Owns which hosts are served. Refuses to know callers. */
import { SluiceError } from "../protocol/errors.ts";
import { isLoopback } from "./loopback.ts";
import type { TokenRules } from "./settings.ts";

/**
 * Refuses hosts that the configuration does not open: without token rules, all but loopback. The
 * `Host` header is looked at beside the URL, because Miniflare lets a header from outside
 * (`MF-Original-URL`) replace the URL, and a page whose name was rebound to this machine can send it.
 * (`wrangler dev` overwrites `Host` by the same header; there such a page is known by its `Origin`,
 * which browsers send with every request that costs anything.)
 *
 * @throws SluiceError `not_configured` with a sentence that says what to set.
 */
export function checkHost(url: URL, host: string | undefined, rules: TokenRules): void {
  if (rules.kind !== "none") return;
  const named = host === undefined ? url : URL.parse(`http://${host}`);
  if (isLoopback(url.hostname) && named !== null && isLoopback(named.hostname)) return;
  throw new SluiceError("not_configured", {
    detail:
      "Without a configuration only this machine is served (localhost). To serve others, set " +
      "AUTH_SECRET (`npx wrangler secret put AUTH_SECRET`) or AUTH_JWKS_URL.",
  });
}
