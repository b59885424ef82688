/**
 * Owns what can be said of a document's changes without making the document: updates of Yjs, format 1
 * (https://docs.yjs.dev/api/document-updates), which can be joined in any order and any number of times. Refuses to
 * know where they are kept.
 *
 * Making the document takes time that whoever writes an update decides about (changes that conflict cost the
 * square of their number), so an object, which others wait for, never does it.
 */
import { decodeUpdate, ID, Item, mergeUpdates } from "yjs";
import { MERGED_AT_A_TIME } from "./limits.ts";

type DecodedUpdate = ReturnType<typeof decodeUpdate>;

/** The update of a document in which nothing is. */
export const NOTHING: Uint8Array = Uint8Array.of(0, 0);

/** Whether bytes are an update, as far as that can be said without the document that it is for. */
export function isUpdate(bytes: Uint8Array): boolean {
  try {
    return isSound(decodeUpdate(bytes));
  } catch {
    return false;
  }
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
 * Several updates as one, which says what they say together; in a time that grows with their bytes, whatever they
 * say. What was deleted, and how it came to be, is still in it: see {@link compact}.
 */
export function join(updates: readonly Uint8Array[]): Uint8Array {
  const joined: Uint8Array[] = [];
  for (let at = 0; at < updates.length; at += MERGED_AT_A_TIME) {
    joined.push(joinFew(updates.slice(at, at + MERGED_AT_A_TIME)));
  }
  if (joined.length > 1) return join(joined);
  return joined[0] ?? NOTHING;
}

function joinFew(updates: readonly Uint8Array[]): Uint8Array {
  try {
    return mergeUpdates([...updates]);
  } catch {
    // One of them is broken although it can be read. It must not take those of others along.
    return updates.reduce((joined, update) => {
      try {
        return mergeUpdates([joined, update]);
      } catch {
        return joined;
      }
    }, NOTHING);
  }
}
