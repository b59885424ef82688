/**
 * Owns the platform's turns of the event loop, for whoever wants what it has sent to leave before it goes on.
 * Refuses to know what is sent.
 */
import type { Turns } from "../delivery/spread.ts";

/**
 * Receivers whose calls of `send` (11 µs each) outweigh the turn that lets them leave (40 µs). The mean delay
 * hardly differs between 12 and 25; with 17 the middle of a hundred waits for two turns and not for four.
 */
const RECEIVERS_PER_TURN = 17;

/**
 * Blocking for nothing is the shortest way to another turn that the platform offers: a timer takes a
 * millisecond at least, and `storage.sync` waits for the disk.
 * https://developers.cloudflare.com/durable-objects/api/state/#blockconcurrencywhile
 */
export function turnsOf(ctx: DurableObjectState): Turns {
  return {
    receivers: RECEIVERS_PER_TURN,
    next: (go) => {
      // Refused by an object that is given up; its sockets are closed, and whatever is sent to them is lost.
      ctx.blockConcurrencyWhile(doNothing).then(go, go);
    },
  };
}

const doNothing = (): Promise<void> => Promise.resolve();
