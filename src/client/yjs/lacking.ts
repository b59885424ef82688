/** Owns what a document has that others lack. Refuses to know who they are. */
import * as Y from "yjs";

/**
 * What a document has and these updates together have not, as one update; undefined when it is nothing. A state vector
 * would not say it: deletions have no place in it, and a state as an update carries all that there ever were.
 *
 * @throws what Yjs throws at documents and updates that are broken.
 */
export function lackingIn(updates: readonly Uint8Array[], doc: Y.Doc): Uint8Array | undefined {
  const scratch = new Y.Doc({ gc: doc.gc });
  for (const update of updates) Y.applyUpdate(scratch, update);
  const lacking: Uint8Array[] = [];
  scratch.on("update", (news: Uint8Array) => lacking.push(news));
  Y.applyUpdate(scratch, Y.encodeStateAsUpdate(doc, Y.encodeStateVector(scratch)));
  scratch.destroy();
  return lacking.length === 0 ? undefined : Y.mergeUpdates(lacking);
}
