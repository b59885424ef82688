/**
 * Owns patterns of names: what they look like and which names they mean. Refuses to make a regular
 * expression of them: whoever writes a pattern could make it slow. Matching takes one pass over both.
 */

/** Separates the segments of a name, and of a pattern. */
const SEPARATOR = ":";

/** Stands for the token's own subject, as a whole segment. */
const OWN = "{sub}";

const LITERAL = /^[A-Za-z0-9._~@-]*$/;

type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "prefix"; readonly text: string }
  | { readonly kind: "own" };

/** A pattern that was understood. */
export interface Pattern {
  readonly segments: readonly Segment[];
  /** Whether one or more segments of any kind follow (`**`). */
  readonly isOpen: boolean;
}

/**
 * The pattern that a text means; undefined when it means none. Its segments are literal, `*` (one whole
 * segment), a literal and `*` (a segment that begins so), `{sub}`, and, as the last one, `**`.
 */
export function parsePattern(text: string): Pattern | undefined {
  const parts = text.split(SEPARATOR);
  const isOpen = parts.at(-1) === "**";
  if (isOpen) parts.pop();
  const segments: Segment[] = [];
  for (const part of parts) {
    const segment = parseSegment(part);
    if (segment === undefined) return undefined;
    segments.push(segment);
  }
  return { segments, isOpen };
}

function parseSegment(part: string): Segment | undefined {
  if (part === OWN) return { kind: "own" };
  const isPrefix = part.endsWith("*");
  const text = isPrefix ? part.slice(0, -1) : part;
  if (!LITERAL.test(text) || part === "") return undefined;
  return { kind: isPrefix ? "prefix" : "literal", text };
}

/** Whether a pattern means a name. @param subject of the token; undefined where there is none. */
export function matchesName(pattern: Pattern, name: string, subject: string | undefined): boolean {
  const parts = name.split(SEPARATOR);
  const { segments, isOpen } = pattern;
  if (isOpen ? parts.length <= segments.length : parts.length !== segments.length) return false;
  return segments.every((segment, index) => matchesPart(segment, parts[index] ?? "", subject));
}

function matchesPart(segment: Segment, part: string, subject: string | undefined): boolean {
  switch (segment.kind) {
    case "literal":
      return part === segment.text;
    case "prefix":
      return part !== "" && part.startsWith(segment.text);
    case "own":
      return part !== "" && part === subject;
  }
}
