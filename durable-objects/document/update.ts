/**
 * Owns what can be said of a document's changes without making the document: updates of Yjs, format 1
 * (https://docs.yjs.dev/api/document-updates), which can be joined in any order and any number of times. Refuses to
 * know where they are kept.
 *
 * Making the document takes time that whoever writes an update decides about (changes that conflict cost the
 * square of their number), so an object, which others wait for, never does it.
 */
import {
  ContentAny,
  ContentDoc,
  ContentEmbed,
  ContentFormat,
  ContentJSON,
  decodeUpdate,
  ID,
  Item,
  mergeUpdates,
} from "yjs";
import { MAX_CONTENT_DEPTH, MERGED_AT_A_TIME } from "./limits.ts";

type DecodedUpdate = ReturnType<typeof decodeUpdate>;
type Struct = DecodedUpdate["structs"][number];

/** The update of a document in which nothing is. */
export const NOTHING: Uint8Array = Uint8Array.of(0, 0);

/** Whether bytes are an update, as far as that can be said without the document that it is for. */
export function isUpdate(bytes: Uint8Array): boolean {
  try {
    const update = decodeUpdate(bytes);
    // In format 2, every update looks like this one with something after it.
    const isNothing = update.structs.length === 0 && update.ds.clients.size === 0;
    return isSound(update) && (!isNothing || bytes.byteLength === NOTHING.byteLength);
  } catch {
    return false;
  }
}

/**
 * Whether it is what Yjs itself would write. It takes others as well: joined with what somebody else has written, they
 * make of it what nobody can read, or what has lost a part.
 */
function isSound({ structs, ds }: DecodedUpdate): boolean {
  return (
    structs.every(
      (struct, index) =>
        isPiece(struct.id.clock, struct.length) &&
        isNext(struct.id, structs[index - 1]) &&
        !looksAhead(struct) &&
        !isDeep(struct),
    ) && [...ds.clients.values()].every(isAscending)
  );
}

/** Whether it goes on where its writer's last piece ended, or begins another writer's, of a smaller number. */
function isNext({ client, clock }: ID, before: Struct | undefined): boolean {
  if (before === undefined || client < before.id.client) return true;
  return client === before.id.client && clock === before.id.clock + before.length;
}

/** Whether what it holds is nested so deep that reading it may take more stack than somebody has. */
function isDeep(struct: Struct): boolean {
  if (!(struct instanceof Item)) return false;
  const { content } = struct;
  if (content instanceof ContentAny || content instanceof ContentJSON) {
    return isDeeper(content.arr, MAX_CONTENT_DEPTH);
  }
  if (content instanceof ContentEmbed) return isDeeper(content.embed, MAX_CONTENT_DEPTH);
  if (content instanceof ContentFormat) return isDeeper(content.value, MAX_CONTENT_DEPTH);
  return content instanceof ContentDoc && isDeeper(content.opts, MAX_CONTENT_DEPTH);
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

/** Something, that ends where numbers are still exact. */
function isPiece(clock: number, length: number): boolean {
  return length > 0 && Number.isSafeInteger(clock + length);
}

/** Whether it builds on what its own writer says later. */
function looksAhead(struct: Struct): boolean {
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
 *
 * @throws what the library throws at updates that are none.
 */
export function join(updates: readonly Uint8Array[]): Uint8Array {
  const joined: Uint8Array[] = [];
  for (let at = 0; at < updates.length; at += MERGED_AT_A_TIME) {
    joined.push(mergeUpdates(updates.slice(at, at + MERGED_AT_A_TIME)));
  }
  if (joined.length > 1) return join(joined);
  return joined[0] ?? NOTHING;
}

/** The same as few updates as can be: one, unless something in them cannot be joined. Nothing is ever left out. */
export function joinAll(updates: readonly Uint8Array[]): readonly Uint8Array[] {
  try {
    return [join(updates)];
  } catch {
    if (updates.length <= 1) return updates;
    const half = updates.length >> 1;
    return [...joinAll(updates.slice(0, half)), ...joinAll(updates.slice(half))];
  }
}
