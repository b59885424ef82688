/**
 * Owns what a content type says about the data of a topic. Refuses to know how data is stored and sent.
 */

/** How data is carried: JSON texts and texts as strings, everything else as bytes. */
export type DataFormat = "json" | "text" | "binary";

const TYPE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+([ \t]*;[\x20-\x7e\t]*)?$/;
const MAX_CHARS = 255;

/** Whether a text is a media type, with or without parameters (RFC 9110 §8.3). */
export function isContentType(text: string): boolean {
  return text.length <= MAX_CHARS && TYPE.test(text);
}

/** The type without its parameters, in small letters. */
export function essenceOf(contentType: string): string {
  const [essence = ""] = contentType.split(";", 1);
  return essence.trim().toLowerCase();
}

/** How data of this type is carried. */
export function formatOf(contentType: string): DataFormat {
  const essence = essenceOf(contentType);
  if (essence === "application/json") return "json";
  return essence.startsWith("text/") ? "text" : "binary";
}
