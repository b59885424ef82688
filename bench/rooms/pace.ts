/**
 * Owns talk at a pace: one message after the other, the crowds taking turns with each, so that whatever
 * the machine does at a time it does to all. Refuses to know who they are.
 */
import { now } from "../support/load-socket.ts";
import { shuffle } from "../support/turns.ts";
import type { Crowd } from "./crowd.ts";

/** How much is said, and how often by each crowd. */
interface Pace {
  readonly messages: number;
  readonly everyMs: number;
}

/** The delays of all deliveries, a list for each crowd. A message is never sent while another is on its way. */
export async function paceByTurns(
  crowds: readonly Crowd[],
  { messages, everyMs }: Pace,
): Promise<readonly (readonly number[])[]> {
  for (const crowd of crowds) crowd.startTiming();
  const beganAt = now();
  for (let nth = 0; nth < messages; nth += 1) {
    for (const [turn, crowd] of shuffle(crowds).entries()) {
      await sleep(beganAt + (nth + turn / crowds.length) * everyMs - now());
      await crowd.say();
    }
  }
  return crowds.map((crowd) => crowd.stopTiming());
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, ms));
  });
}
