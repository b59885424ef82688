/** Owns looking at what may be a text. Refuses to make one of anything else. */

/** The text that this is; undefined for an empty one, and for what is none. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
