/** Owns putting an update into a document. Refuses to know where it comes from. */
import * as Y from "yjs";
import { throwLater } from "../store.ts";

/**
 * Applies an update. What the application's observers throw at it surfaces as an uncaught error.
 *
 * @returns false for bytes that are no update, or none that this document can take; a part may have been applied.
 */
export function applyTo(doc: Y.Doc, update: Uint8Array, origin: unknown): boolean {
  let own: Y.Transaction | undefined;
  let isDone = false;
  // Told when observers were called, whatever they threw, and Yjs has tidied up; not when either failed for the update.
  const done = (transaction: Y.Transaction): void => {
    isDone ||= transaction === own;
  };
  doc.on("afterTransactionCleanup", done);
  try {
    doc.transact((transaction) => {
      Y.applyUpdate(doc, update, origin);
      own = transaction;
    }, origin);
  } catch (error) {
    if (!isDone) return false;
    throwLater(error);
  } finally {
    doc.off("afterTransactionCleanup", done);
  }
  return true;
}
