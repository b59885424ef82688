/**
 * Owns making a document smaller: what was deleted is forgotten, and letters that were typed one by one become one
 * piece of text. Refuses to know where it is kept. Not for objects: see document/update.
 */
import { applyUpdate, Doc, encodeStateAsUpdate } from "yjs";

/** Of what there was: less is not worth writing. */
const LEAST_GAIN = 1 / 8;

/** The same document as a smaller update; undefined when it would not be much smaller, or cannot be made. */
export function compact(update: Uint8Array): Uint8Array | undefined {
  const doc = new Doc();
  try {
    applyUpdate(doc, update);
    const compacted = encodeStateAsUpdate(doc);
    return compacted.byteLength <= update.byteLength * (1 - LEAST_GAIN) ? compacted : undefined;
  } catch {
    // Somebody has broken it. It stays as it was said.
    return undefined;
  } finally {
    doc.destroy();
  }
}
