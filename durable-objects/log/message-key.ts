/**
 * Owns the identity that a publisher gives to a message, and its text beside a stored flush. Refuses to
 * know which messages exist.
 */

/** Who sent a message, under which id; an empty id names nothing. */
export interface MessageKey {
  readonly sender: string;
  readonly id: string;
}

/** One text for both, unambiguous whatever characters they contain; empty for an empty id. */
export function nameOf({ sender, id }: MessageKey): string {
  return id === "" ? "" : `${sender.length}:${sender}${id}`;
}

/** Between the keys and the note; neither is written with one inside. */
const SEPARATOR = "\n";

/**
 * The text to store with a flush: the keys of its entries in their order, and a note of the log's
 * owner, who finds the newest one again however many entries have followed.
 */
export function encodeKeys(keys: readonly MessageKey[], note = ""): string {
  const texts: string[] = [];
  let isNamed = false;
  for (const { sender, id } of keys) {
    texts.push(id === "" ? "" : sender, id);
    isNamed ||= id !== "";
  }
  // A flush without ids, as a generation's, costs no text at all.
  const names = isNamed ? JSON.stringify(texts) : "";
  return note === "" ? names : names + SEPARATOR + note;
}

/** Reads the keys of {@link encodeKeys} back. */
export function decodeKeys(text: string): readonly MessageKey[] {
  const [names = ""] = text.split(SEPARATOR, 1);
  if (names === "") return [];
  const texts = JSON.parse(names) as readonly string[];
  const keys: MessageKey[] = [];
  for (let index = 0; index < texts.length; index += 2) {
    keys.push({ sender: texts[index] ?? "", id: texts[index + 1] ?? "" });
  }
  return keys;
}

/** Reads the note of {@link encodeKeys} back; empty when there is none. */
export function decodeNote(text: string): string {
  const at = text.indexOf(SEPARATOR);
  return at === -1 ? "" : text.slice(at + 1);
}
