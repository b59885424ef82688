/**
 * Owns what a document's changes mean: updates of Yjs, format 1 (https://docs.yjs.dev/api/document-updates), which
 * can be merged in any order and any number of times. Refuses to know where they are kept.
 */
import { applyUpdate, decodeUpdate, Doc, encodeStateAsUpdate } from "yjs";

/** The update of a document in which nothing is. */
export const NOTHING: Uint8Array = Uint8Array.of(0, 0);

/** Whether bytes are an update, as far as that can be said without the document that it is for. */
export function isUpdate(bytes: Uint8Array): boolean {
  try {
    // First, because it reads what is there; a document makes room for as much as is declared.
    if (!isSound(decodeUpdate(bytes))) return false;
  } catch {
    return false;
  }
  return tryMerge(NOTHING, [bytes]) !== undefined;
}

/**
 * Whether every piece has a length, and ends where numbers are still exact. Yjs merges others as well, into a
 * state that nobody can read.
 */
function isSound({ structs, ds }: ReturnType<typeof decodeUpdate>): boolean {
  const isPiece = (clock: number, length: number): boolean =>
    length > 0 && Number.isSafeInteger(clock + length);
  if (!structs.every(({ id, length }) => isPiece(id.clock, length))) return false;
  return [...ds.clients.values()].flat().every(({ clock, len }) => isPiece(clock, len));
}

/** Whether an update adds nothing, but only takes away. */
export function isDeletion(update: Uint8Array): boolean {
  return decodeUpdate(update).structs.length === 0;
}

/**
 * A state with changes in it. One that cannot be merged, although it is an update, is left out: its sender has
 * broken it, and must not take those of others along.
 */
export function merge(state: Uint8Array, updates: readonly Uint8Array[]): Uint8Array {
  const merged = tryMerge(state, updates);
  if (merged !== undefined) return merged;
  if (updates.length <= 1) return state;
  const half = updates.length >> 1;
  return merge(merge(state, updates.slice(0, half)), updates.slice(half));
}

/** By a document and not byte by byte, because that forgets the content of what was deleted. */
function tryMerge(state: Uint8Array, updates: readonly Uint8Array[]): Uint8Array | undefined {
  const doc = new Doc();
  try {
    doc.transact(() => {
      applyUpdate(doc, state);
      for (const update of updates) applyUpdate(doc, update);
    });
    return encodeStateAsUpdate(doc);
  } catch {
    return undefined;
  } finally {
    doc.destroy();
  }
}
