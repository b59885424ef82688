/**
 * Owns what a token means to an object that is given one over an open connection: the same as to the
 * Worker, by the same rules. Refuses to know what happens then.
 */
import { permitFor, type Target } from "../../src/auth/grants.ts";
import { KeySets } from "../../src/auth/key-set.ts";
import { readAuthSettings } from "../../src/auth/settings.ts";
import { readToken } from "../../src/auth/token.ts";
import type { Permit } from "../../src/protocol/permit.ts";
import { systemClock } from "../../src/stream/clock.ts";

/** Shared by the objects of an isolate, as by the requests of a Worker. */
const keySets = new KeySets({
  clock: systemClock,
  fetch: (address, init) => fetch(address, init),
});

/**
 * What a token opens of this.
 *
 * @throws SluiceError why it does not count.
 */
export async function readPermit(
  token: string,
  env: Readonly<Record<string, unknown>>,
  target: Target,
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
