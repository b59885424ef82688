/**
 * Owns making a document smaller: what was deleted is forgotten, and letters that were typed one by one become one
 * piece of text. Refuses to know where it is kept. Not for objects: see document/update.
 */
import { applyUpdate, decodeUpdate, Doc, encodeStateAsUpdate, Skip } from "yjs";

/** Of what there was: less is not worth writing. */
const LEAST_GAIN = 1 / 8;

/**
 * The document that updates are together, as one smaller update; undefined when it would not be much smaller, or
 * cannot be made.
 */
export function compact(updates: readonly Uint8Array[]): Uint8Array | undefined {
  const doc = new Doc();
  try {
    for (const update of updates) applyUpdate(doc, update);
    const compacted = encodeStateAsUpdate(doc);
    const bytes = updates.reduce((sum, update) => sum + update.byteLength, 0);
    const isSmaller = compacted.byteLength <= bytes * (1 - LEAST_GAIN);
    return isSmaller && hasAllOf(compacted, updates) ? compacted : undefined;
  } catch {
    // Somebody has broken it. It stays as it was said.
    return undefined;
  } finally {
    doc.destroy();
  }
}

/** Whether as much of every writer is in it as in any of the updates: what is put in their place may lose nothing. */
function hasAllOf(compacted: Uint8Array, updates: readonly Uint8Array[]): boolean {
  const there = amountsIn(compacted);
  return updates.every((update) =>
    [...amountsIn(update)].every(([client, amount]) => (there.get(client) ?? 0) >= amount),
  );
}

/** How much each writer has said. */
function amountsIn(update: Uint8Array): ReadonlyMap<number, number> {
  const amounts = new Map<number, number>();
  for (const struct of decodeUpdate(update).structs) {
    if (struct instanceof Skip) continue;
    const { client } = struct.id;
    amounts.set(client, (amounts.get(client) ?? 0) + struct.length);
  }
  return amounts;
}
