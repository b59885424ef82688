/** Owns putting an update into a document. Refuses to know where it comes from. */
import * as Y from "yjs";
import { throwLater } from "../store.ts";

/**
 * Applies an update. What the application's observers throw at it surfaces as an uncaught error.
 *
 * @returns false for bytes that are no update, of which a part may have been applied.
 */
export function applyTo(doc: Y.Doc, update: Uint8Array, origin: unknown): boolean {
  try {
    Y.applyUpdate(doc, update, origin);
  } catch (error) {
    if (!isAtFault(doc, update)) throwLater(error);
    else return false;
  }
  return true;
}

/** Whether a document that nobody observes does not take it either. */
function isAtFault(doc: Y.Doc, update: Uint8Array): boolean {
  const scratch = new Y.Doc();
  try {
    Y.decodeUpdate(update);
    Y.applyUpdate(scratch, Y.encodeStateAsUpdate(doc));
    Y.applyUpdate(scratch, update);
    return false;
  } catch {
    return true;
  } finally {
    scratch.destroy();
  }
}
