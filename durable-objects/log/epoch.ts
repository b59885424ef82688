/**
 * Owns the names of a log's lives. Refuses to know what a life contains.
 *
 * A position is only comparable within an epoch; the epoch changes whenever a log starts again.
 */
import type { Clock, Random } from "../../src/stream/clock.ts";

const TIME_CHARS = 9;
const RANDOM_CHARS = 2;
const BASE = 36;

/**
 * Names the life that follows `previous`: time, then chance, so that epochs sort as text in the order
 * of their lives, also within one millisecond and when the clock went back. Chance keeps apart two
 * lives whose predecessor nobody remembers.
 */
export function nextEpoch(previous: string | undefined, clock: Clock, random: Random): string {
  const earliest =
    previous === undefined ? 0 : Number.parseInt(previous.slice(0, TIME_CHARS), BASE) + 1;
  const time = Math.max(Math.floor(clock.now()), earliest);
  const chance = Math.floor(random() * BASE ** RANDOM_CHARS);
  return (
    time.toString(BASE).padStart(TIME_CHARS, "0") +
    chance.toString(BASE).padStart(RANDOM_CHARS, "0")
  );
}
