/**
 * Owns what all surfaces of one client share: address, token, time and chance. Refuses to know the
 * surfaces.
 */
import { type Tokens, tokensOf } from "./connection/tokens.ts";
import type { ClientOptions, Clock } from "./options.ts";

/** What a surface works with. */
export interface Context {
  /** Without a slash at the end. */
  readonly url: string;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly random: () => number;
  readonly fetch: typeof globalThis.fetch;
  readonly options: ClientOptions;
}

const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

const contexts = new WeakMap<ClientOptions, Context>();

/** The context of these options; the same for the same object, so that surfaces share a token. */
export function contextOf(options: ClientOptions): Context {
  const known = contexts.get(options);
  if (known !== undefined) return known;
  const clock = options.clock ?? systemClock;
  const context: Context = {
    url: String(options.url).replace(/\/+$/, ""),
    tokens: tokensOf(options.token, clock),
    clock,
    random: options.random ?? Math.random,
    // Looked up late and called bare: browsers refuse a `fetch` that is another object's method.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    options,
  };
  contexts.set(options, context);
  return context;
}
