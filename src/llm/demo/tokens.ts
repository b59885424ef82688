/** Owns the cutting of text into tokens. Refuses to know what the text says. */

/**
 * Up to six letters with the space before them, a number, or other signs: near enough to what
 * models use (four characters a token in English), and surrogate pairs stay whole.
 */
const TOKEN = /\s*(?:\p{L}{1,6}|\p{N}+|[^\s\p{L}\p{N}]+)|\s+$/gu;

/** The tokens of a text; joined, they are the text again. */
export function splitTokens(text: string): readonly string[] {
  return text.match(TOKEN) ?? [];
}

/** A small hash (FNV-1a, 32 bits) as eight hexadecimal digits: equal texts get equal names. */
export function hashText(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
