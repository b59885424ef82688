/**
 * Owns the platform's turns of the event loop, for whoever wants what it has sent to leave before it goes on.
 * Refuses to know what is sent.
 */
import type { Turns } from "../delivery/spread.ts";

/**
 * Receivers that are served before the row is durable: what they are sent waits for it, and to wait costs
 * as much again as the call of `send` (11 µs). One would do; of three, two have it a turn earlier.
 */
const FIRST_RECEIVERS = 17;

/** Receivers whose calls of `send` outweigh the turn that lets them leave (40 µs). */
const LATER_RECEIVERS = 17;

/**
 * Blocking for nothing is the shortest way to another turn that the platform offers: a timer takes a
 * millisecond at least, and `storage.sync` waits for the disk.
 * https://developers.cloudflare.com/durable-objects/api/state/#blockconcurrencywhile
 */
export function turnsOf(ctx: DurableObjectState): Turns {
  return {
    first: FIRST_RECEIVERS,
    later: LATER_RECEIVERS,
    next: (go) => {
      // Refused by an object that is given up; its sockets are closed, and whatever is sent to them is lost.
      ctx.blockConcurrencyWhile(doNothing).then(go, go);
    },
  };
}

const doNothing = (): Promise<void> => Promise.resolve();
