/**
 * Owns what a document's changes mean: updates of Yjs, format 1 (https://docs.yjs.dev/api/document-updates), which
 * can be merged in any order and any number of times. Refuses to know where they are kept.
 */
import { applyUpdate, decodeUpdate, Doc, encodeStateAsUpdate, ID, Item } from "yjs";

type DecodedUpdate = ReturnType<typeof decodeUpdate>;

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
 * Whether it is what Yjs itself would write. It merges others as well: into a state that nobody can read, or one
 * that waits to break the change of somebody else.
 */
function isSound({ structs, ds }: DecodedUpdate): boolean {
  return (
    structs.every((struct) => isPiece(struct.id.clock, struct.length) && !looksAhead(struct)) &&
    [...ds.clients.values()].every(isAscending)
  );
}

/** Something, that ends where numbers are still exact. */
function isPiece(clock: number, length: number): boolean {
  return length > 0 && Number.isSafeInteger(clock + length);
}

/** Whether it builds on what its own writer says later. */
function looksAhead(struct: DecodedUpdate["structs"][number]): boolean {
  if (!(struct instanceof Item)) return false;
  const { id, origin, rightOrigin, parent } = struct;
  return [origin, rightOrigin, parent].some(
    (other) => other instanceof ID && other.client === id.client && other.clock >= id.clock,
  );
}

/** One range after the other. */
function isAscending(ranges: readonly { readonly clock: number; readonly len: number }[]): boolean {
  let end = 0;
  return ranges.every(({ clock, len }) => {
    const follows = clock >= end && isPiece(clock, len);
    end = clock + len;
    return follows;
  });
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
