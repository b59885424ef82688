/** Owns asking a peer for an answer, watching it, and finding it complete. Refuses to know who is faster. */
import { type Exchange, ask, findArrivals } from "../support/client.ts";
import type { Peer } from "./peers.ts";
import { type Scenario, SCRIPTS, TOKEN } from "./tokens.ts";

/**
 * Asks for an answer and reads it to its end.
 *
 * @throws Error when it lost tokens: a figure for it would be worth nothing.
 */
export async function askFor(
  peer: Peer,
  scenario: Scenario,
  onNamed?: (id: string) => void,
): Promise<Exchange> {
  const exchange = await ask(peer.url, {
    body: {
      ...peer.fields,
      model: scenario,
      stream: true,
      messages: [{ role: "user", content: "Tell me about streams." }],
    },
    onHeaders: (headers) => {
      const id = peer.again === undefined ? undefined : headers[peer.again.header];
      if (typeof id === "string") onNamed?.(id);
    },
  });
  checkComplete(peer, scenario, exchange);
  return exchange;
}

/**
 * Watches an answer from its beginning to its end.
 *
 * @throws Error when it lost tokens.
 */
export async function watch(peer: Peer, scenario: Scenario, id: string): Promise<Exchange> {
  if (peer.again === undefined) throw new Error(`${peer.name} has no answer for others.`);
  const exchange = await ask(peer.again.watch(id), {});
  checkComplete(peer, scenario, exchange);
  return exchange;
}

/** Milliseconds from asking to the first bytes with something of the answer. */
export function firstMs(exchange: Exchange): number {
  return (findArrivals(exchange, TOKEN)[0]?.at ?? Number.NaN) - exchange.sentAt;
}

/** Milliseconds from the provider to the client, token by token. */
export function delaysOf(exchange: Exchange): readonly number[] {
  return findArrivals(exchange, TOKEN).map(({ at, match }) => at - Number(match[2]) / 1000);
}

function checkComplete({ name }: Peer, scenario: Scenario, exchange: Exchange): void {
  const numbers = findArrivals(exchange, TOKEN).map(({ match }) => Number(match[1]));
  const complete =
    exchange.status === 200 &&
    numbers.length === SCRIPTS[scenario].tokens &&
    numbers.every((number, index) => number === index);
  if (complete) return;
  const body = Buffer.concat(exchange.arrivals.map(({ bytes }) => bytes)).toString();
  throw new Error(
    `${name} answered ${scenario} with ${exchange.status} and ${numbers.length} tokens: ${body.slice(0, 400)}`,
  );
}
