/** Owns what the app is given from outside, so that a test can give something else. */
import type { Upstream } from "./llm/upstream.ts";
import type { Config } from "./config.ts";
import type { Clock, Random } from "./stream/clock.ts";

/** Time, chance, names and the world beyond. */
export interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  /** A fresh identifier; unguessable in production. */
  readonly newId: () => string;
  /** The network, for everything but providers. */
  readonly fetch: (address: string, init: RequestInit) => Promise<Response>;
  /** The providers for these settings, in the order in which they are tried. */
  readonly upstreams: (config: Config) => readonly Upstream[];
  /** Takes one structured line for the log. Callers pass no text they did not write (I9). */
  readonly log: (line: Readonly<Record<string, string | number>>) => void;
}
