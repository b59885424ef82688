/**
 * Owns the identity that a publisher gives to a message, and its text beside a stored flush. Refuses to
 * know which messages exist.
 */

/** Who sent a message, under which id; an empty id names nothing. */
export interface MessageKey {
  readonly sender: string;
  readonly id: string;
}

/** One text for both, unambiguous whatever characters they contain. */
export function nameOf({ sender, id }: MessageKey): string {
  return `${sender.length}:${sender}${id}`;
}

/** The text to store with a flush: the keys of its entries in their order. */
export function encodeKeys(keys: readonly MessageKey[]): string {
  // A flush without ids, as a generation's, costs no text at all.
  if (keys.every(({ id }) => id === "")) return "";
  return JSON.stringify(keys.flatMap(({ sender, id }) => (id === "" ? ["", ""] : [sender, id])));
}

/** Reads {@link encodeKeys} back. */
export function decodeKeys(text: string): readonly MessageKey[] {
  if (text === "") return [];
  const texts = JSON.parse(text) as readonly string[];
  const keys: MessageKey[] = [];
  for (let index = 0; index < texts.length; index += 2) {
    keys.push({ sender: texts[index] ?? "", id: texts[index + 1] ?? "" });
  }
  return keys;
}
