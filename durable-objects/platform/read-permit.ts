/**
 * Owns what a token means to an object that is given one over an open connection: the same as to the
 * Worker, by the same rules. Refuses to know what happens then.
 */
import { permitFor, type Target } from "../../src/auth/grants.ts";
import type { KeySets } from "../../src/auth/key-set.ts";
import { readAuthSettings } from "../../src/auth/settings.ts";
import { readToken } from "../../src/auth/token.ts";
import type { Permit } from "../../src/protocol/permit.ts";
import { systemClock } from "../../src/stream/clock.ts";

/**
 * What a token opens of this.
 *
 * @param keySets of the object itself: one object cannot wait for what another fetches.
 * @throws SluiceError why it does not count.
 */
export async function readPermit(
  token: string,
  env: Readonly<Record<string, unknown>>,
  target: Target,
  keySets: KeySets,
): Promise<Permit> {
  const settings = readAuthSettings(env);
  const bearer = await readToken(token, {
    settings,
    now: systemClock.now() / 1_000,
    // The connection that waits keeps the object awake.
    findKeys: async (url, kid) => await keySets.find(url, kid, () => {}),
  });
  return permitFor(bearer, target, settings.anonymousRead);
}
