/**
 * Owns the public keys of token issuers: fetched within a time limit, kept for minutes, fetched again
 * when a token names a key that is not among them. Refuses to know about tokens.
 */
import * as v from "valibot";
import { SluiceError } from "../protocol/errors.ts";
import {
  KEY_SET_REFETCH_MS,
  KEY_SET_RETRY_MS,
  KEY_SET_TIMEOUT_MS,
  KEY_SET_TTL_MS,
  MAX_KEY_SET_BYTES,
} from "../protocol/limits.ts";
import type { Clock } from "../stream/clock.ts";

/** A key of a JSON Web Key Set (RFC 7517). */
export interface PublicKey extends JsonWebKey {
  kid?: string;
}

/** What a key set is fetched with. */
export interface KeySetDeps {
  readonly clock: Clock;
  readonly fetch: (address: string, init: RequestInit) => Promise<Response>;
}

/** Lets work outlive the request that began it: others wait for it too. */
export type KeepAlive = (work: Promise<unknown>) => void;

type Outcome = { readonly keys: PublicKey[] } | { readonly failure: string };

const keySetSchema = v.object({ keys: v.array(v.unknown()) });
/** A set may hold keys of kinds that are not known here; they are left out (RFC 7517 §5). */
const keySchema = v.looseObject({ kty: v.string(), kid: v.string() });

const TOO_SLOW = "did not arrive in time";
const UNREADABLE = "is not a JSON Web Key Set";

/** The key sets of all issuers, kept as long as the isolate lives. */
export class KeySets {
  readonly #deps: KeySetDeps;
  readonly #sets = new Map<string, KeySet>();

  constructor(deps: KeySetDeps) {
    this.#deps = deps;
  }

  /**
   * The keys at `url`, fetched again if the one called `kid` is not among those that are known; it
   * may be missing from the result all the same.
   *
   * @throws SluiceError `auth_unavailable` when they cannot be had.
   */
  async find(url: string, kid: string, keepAlive: KeepAlive): Promise<PublicKey[]> {
    let set = this.#sets.get(url);
    if (set === undefined) {
      set = new KeySet(url, this.#deps);
      this.#sets.set(url, set);
    }
    return await set.find(kid, keepAlive);
  }
}

class KeySet {
  readonly #url: string;
  readonly #deps: KeySetDeps;
  #kept: { readonly keys: PublicKey[]; readonly at: number } | undefined;
  #failed: { readonly failure: string; readonly at: number } | undefined;
  #flight: { readonly outcome: Promise<Outcome>; readonly at: number } | undefined;

  constructor(url: string, deps: KeySetDeps) {
    this.#url = url;
    this.#deps = deps;
  }

  async find(kid: string, keepAlive: KeepAlive): Promise<PublicKey[]> {
    const now = this.#deps.clock.now();
    if (this.#kept !== undefined) {
      const { keys, at } = this.#kept;
      const useful = keys.some((key) => key.kid === kid) ? KEY_SET_TTL_MS : KEY_SET_REFETCH_MS;
      if (now - at < useful) return keys;
    }
    if (this.#failed !== undefined && now - this.#failed.at < KEY_SET_RETRY_MS) {
      throw unavailable(this.#failed.failure);
    }
    // A fetch that is older than its limit died with the request that began it.
    if (this.#flight === undefined || now - this.#flight.at >= KEY_SET_TIMEOUT_MS) {
      const outcome = this.#refresh(now);
      this.#flight = { outcome, at: now };
      keepAlive(outcome);
    }
    const outcome = await this.#inTime(this.#flight.outcome);
    if ("failure" in outcome) throw unavailable(outcome.failure);
    return outcome.keys;
  }

  /** Never rejects: whoever waits may be gone. */
  async #refresh(at: number): Promise<Outcome> {
    const outcome = await this.#load();
    const { clock } = this.#deps;
    if ("keys" in outcome) this.#kept = { ...outcome, at };
    this.#failed = "failure" in outcome ? { ...outcome, at: clock.now() } : undefined;
    if (this.#flight?.at === at) this.#flight = undefined;
    return outcome;
  }

  async #load(): Promise<Outcome> {
    const { clock, fetch } = this.#deps;
    const controller = new AbortController();
    const disarm = clock.after(KEY_SET_TIMEOUT_MS, () => {
      controller.abort();
    });
    try {
      const response = await fetch(this.#url, {
        headers: { accept: "application/jwk-set+json, application/json" },
        signal: controller.signal,
      });
      if (!response.ok) {
        await response.body?.cancel();
        return { failure: `was answered with status ${response.status}` };
      }
      return parse(await readText(response));
    } catch {
      return { failure: controller.signal.aborted ? TOO_SLOW : "could not be fetched" };
    } finally {
      disarm();
    }
  }

  /** Waits by a timer of the waiting request: the fetch may be another's, and end with that one. */
  #inTime(outcome: Promise<Outcome>): Promise<Outcome> {
    return new Promise((resolve) => {
      const disarm = this.#deps.clock.after(KEY_SET_TIMEOUT_MS, () => {
        resolve({ failure: TOO_SLOW });
      });
      void outcome.then((result) => {
        disarm();
        resolve(result);
      });
    });
  }
}

/** The body, or nothing when it is longer than any key set. */
async function readText(response: Response): Promise<string | undefined> {
  const body: ReadableStream<Uint8Array> | null = response.body;
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const bytes of body ?? []) {
    size += bytes.byteLength;
    if (size > MAX_KEY_SET_BYTES) return undefined;
    text += decoder.decode(bytes, { stream: true });
  }
  return text + decoder.decode();
}

function parse(text: string | undefined): Outcome {
  const json = v.safeParse(v.pipe(v.string(), v.parseJson()), text);
  const keys = json.success ? parseKeys(json.output) : undefined;
  return keys === undefined ? { failure: UNREADABLE } : { keys };
}

/** The keys of a key set that have a name; undefined when it is no key set. */
export function parseKeys(json: unknown): PublicKey[] | undefined {
  const set = v.safeParse(keySetSchema, json);
  return set.success ? set.output.keys.filter((key) => v.is(keySchema, key)) : undefined;
}

function unavailable(failure: string): SluiceError {
  return new SluiceError("auth_unavailable", {
    detail: `No token can be checked: the key set at AUTH_JWKS_URL ${failure}.`,
    retryAfter: KEY_SET_RETRY_MS / 1000,
  });
}
