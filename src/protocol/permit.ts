/**
 * Owns what the Worker tells an object about whoever opens a connection: established there once, kept
 * with the connection, and as one text on the way between them. Refuses to know how it was established.
 */
import * as v from "valibot";
import { CAPABILITIES, type Capability } from "./capabilities.ts";

/** What a connection may do here, whose it is, and until when. */
export interface Permit {
  readonly can: readonly Capability[];
  /** Whose token it was; undefined where there was none. */
  readonly subject?: string | undefined;
  /** The token's `jti`. */
  readonly tokenId?: string | undefined;
  /** Seconds since 1970 when the token was made, if it says so. */
  readonly issuedAt?: number | undefined;
  /** Seconds since 1970 when all this ends; undefined: never. */
  readonly expiresAt?: number | undefined;
  /** The member's name, where the token decides it. */
  readonly member?: string | undefined;
  /** Fields of the member's state that only the token decides, as a JSON object. */
  readonly presence?: string | undefined;
}

/** What connections may do where only this machine is served. */
export const OPEN_PERMIT: Permit = { can: CAPABILITIES };

const permitSchema = v.strictObject({
  can: v.array(v.picklist(CAPABILITIES)),
  subject: v.exactOptional(v.string()),
  tokenId: v.exactOptional(v.string()),
  issuedAt: v.exactOptional(v.number()),
  expiresAt: v.exactOptional(v.number()),
  member: v.exactOptional(v.string()),
  presence: v.exactOptional(v.string()),
});

/** Texts of permits that were asked for: a connection's is kept again and again. */
const texts = new WeakMap<Permit, string>();

/** A permit as a text of ASCII: it travels in a header. */
export function encodePermit(permit: Permit): string {
  let text = texts.get(permit);
  if (text === undefined) {
    text = toAscii(JSON.stringify(permit));
    texts.set(permit, text);
  }
  return text;
}

/** JSON in ASCII: what is beyond is written as JSON may write it. */
export function toAscii(json: string): string {
  return json.replaceAll(/[^\x20-\x7e]/g, escapeUnit);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** The permit that a text means; undefined when it is none of {@link encodePermit}. */
export function decodePermit(text: string): Permit | undefined {
  try {
    const result = v.safeParse(permitSchema, JSON.parse(text));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}
