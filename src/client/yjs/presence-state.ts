/**
 * Owns how an awareness state stands in a room's presence: `{ awareness: <the update that y-protocols makes of it> }`.
 * Refuses to know who shows it. What others show is anybody's word.
 */
import { type Awareness, encodeAwarenessUpdate } from "y-protocols/awareness";

/** Bits of a number in one byte; the eighth says that more follow. */
const SEVEN_BITS = 0x7f;

/** What this program shows; null when it shows nothing. */
export function presenceOf(awareness: Awareness): { readonly awareness: Uint8Array } | null {
  if (awareness.getLocalState() === null) return null;
  return { awareness: encodeAwarenessUpdate(awareness, [awareness.clientID]) };
}

/** The update that a presence state holds, if it looks like one. */
export function updateOf(state: unknown): Uint8Array | undefined {
  const { awareness } = (state ?? {}) as { readonly awareness?: unknown };
  return awareness instanceof Uint8Array ? awareness : undefined;
}

/** Whose state an update is, as y-protocols numbers programs; undefined unless it is that of one program, and an object. */
export function clientOf(update: Uint8Array): number | undefined {
  let at = 0;
  const next = (): number => {
    let number = 0;
    for (let factor = 1; ; factor *= SEVEN_BITS + 1) {
      const byte = update[at];
      if (byte === undefined) throw new RangeError("The update ends early.");
      at += 1;
      number += (byte & SEVEN_BITS) * factor;
      if (!Number.isSafeInteger(number)) throw new RangeError("The number is too large.");
      if (byte <= SEVEN_BITS) return number;
    }
  };
  try {
    const count = next();
    const client = next();
    next(); // How often it was set.
    const length = next();
    if (count !== 1 || at + length !== update.length) return undefined;
    const state: unknown = JSON.parse(new TextDecoder().decode(update.subarray(at)));
    return state instanceof Object ? client : undefined;
  } catch {
    return undefined;
  }
}
