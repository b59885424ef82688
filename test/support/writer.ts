/** Owns someone who writes a document: a Yjs document, and what leaves it. Refuses to know where it goes. */
import { applyUpdate, Doc, type Text } from "yjs";

export interface Writer {
  readonly doc: Doc;
  readonly text: Text;
  /** One for each transaction. */
  readonly updates: Uint8Array[];
}

/** The name under which all tests write. */
const TEXT = "text";

/** @param id chosen by chance when left out. */
export function writer(id?: number): Writer {
  const doc = new Doc();
  if (id !== undefined) doc.clientID = id;
  const updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => updates.push(update));
  return { doc, text: doc.getText(TEXT), updates };
}

/** The text in a state. */
export function textOf(...updates: readonly Uint8Array[]): string {
  const doc = new Doc();
  for (const update of updates) applyUpdate(doc, update);
  return doc.getText(TEXT).toJSON();
}
