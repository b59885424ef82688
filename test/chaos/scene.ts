/**
 * Owns what all scenarios of a bad network have in common: a client, its time and its network, all
 * from one seed. Refuses to know what the client does.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { ClientOptions } from "../../src/client/index.ts";
import { drawFault, openChaosProxy } from "../support/chaos-proxy.ts";
import { HurryingClock } from "../support/hurrying-clock.ts";
import { SeededRandom } from "../support/seeded-random.ts";

/** Connections that are harmed at most; all later ones are good, so that every scenario comes to an end. */
const MOST_FAULTS = 6;

/** A server that everybody reaches, and how tests reach it without harm. */
export interface Server {
  readonly origin: string;
  readonly port: number;
}

/** One client behind a network of its own. */
export interface BadNetwork extends AsyncDisposable {
  readonly options: ClientOptions;
}

/** Gives a client its network. */
export async function openBadNetwork(server: Server, seed: number): Promise<BadNetwork> {
  const random = new SeededRandom(seed);
  let left = random.between(1, MOST_FAULTS);
  const network = await openChaosProxy(server.port, () => {
    left -= 1;
    // Now and then a good one in between, so that harm also comes late.
    return left < 0 || random.chance(0.15) ? { kind: "none" } : drawFault(random);
  });
  const clock = new HurryingClock(() => network.isHopeless);
  return {
    options: { url: network.origin, clock, random: new SeededRandom(seed + 1).next },
    async [Symbol.asyncDispose]() {
      clock[Symbol.dispose]();
      await network[Symbol.asyncDispose]();
    },
  };
}

/** An application that takes its time with an item now and then, so that more wait meanwhile. */
export async function dawdle(random: SeededRandom): Promise<void> {
  if (random.chance(0.3)) await pause(random.between(1, 60));
}

/** Asks the server itself. */
export async function ask(server: Server, path: string, body?: unknown): Promise<unknown> {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(`${server.origin}${path}`, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return JSON.parse(text) as unknown;
}
