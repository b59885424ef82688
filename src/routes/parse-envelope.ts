/**
 * Owns the reading of messages and events that publishers write in JSON, and what is said of one that is none: which
 * it is, which field, and how. Refuses to know how they arrive, and which fields they have.
 */
import * as v from "valibot";
import { SluiceError } from "../protocol/errors.ts";
import { MAX_PUBLISH_MESSAGES } from "../protocol/limits.ts";

/** What something was to be, and where it stands. */
interface Expected {
  /** Begins what is said: `Message 3`. Left out where somebody else says it. */
  readonly what?: string;
  /** Its fields as people write them: `{event, payload, id?}`. */
  readonly shape: string;
  /** Where it stands in its request, if it does not stand alone. */
  readonly members?: { readonly index: number };
}

/** What is wrong with a name; the grammar is the protocol's (P14–P16). */
const GRAMMAR: Readonly<Record<string, string>> = {
  event:
    "an event has 1 to 64 of A–Z a–z 0–9 . _ : / -, the first a letter or _, and is none of gap, end, error, open.",
  id: "an id has 1 to 64 visible ASCII characters, and does not begin with sluice.key.",
  topic: "a topic has 1 to 128 of A–Z a–z 0–9 . _ ~ : @ -, the first a letter or a digit.",
};

/** Characters of a field's name that are shown to whoever wrote it. */
const SHOWN_CHARS = 64;

/**
 * The items of a request's body: one, or an array of them.
 *
 * @throws SluiceError `invalid_request` for an array of none, or of more than a request may hold.
 */
export function itemsOf(body: unknown, what: string): readonly unknown[] {
  const items: readonly unknown[] = Array.isArray(body) ? body : [body];
  if (items.length >= 1 && items.length <= MAX_PUBLISH_MESSAGES) return items;
  throw new SluiceError("invalid_request", {
    detail: `A request publishes 1 to ${MAX_PUBLISH_MESSAGES} ${what}; this array holds ${items.length}.`,
  });
}

/**
 * One of them as its schema has it.
 *
 * @throws SluiceError `bad_name` for a name beyond the grammar, `invalid_request` for anything else; with the field as
 *   `param`.
 */
export function parseEnvelope<Schema extends v.StrictObjectSchema<v.ObjectEntries, undefined>>(
  schema: Schema,
  item: unknown,
  expected: Expected,
): v.InferOutput<Schema> {
  // To the schema an array is an object that lacks fields.
  const result = v.safeParse(schema, Array.isArray(item) ? undefined : item, { abortEarly: true });
  if (result.success) return result.output;
  throw faultOf(result.issues[0], expected, schema.entries);
}

function faultOf(
  { type, path }: v.BaseIssue<unknown>,
  { what, shape, members }: Expected,
  entries: v.ObjectEntries,
): SluiceError {
  const where = members === undefined ? {} : { members };
  const prefix = what === undefined ? "" : `${what}: `;
  const key = path?.[0].key;
  if (typeof key !== "string") {
    return new SluiceError("invalid_request", {
      detail: `${prefix}no object. Expected ${shape}.`,
      ...where,
    });
  }
  const param = key.slice(0, SHOWN_CHARS).toWellFormed();
  const grammar = type === "check" && Object.hasOwn(GRAMMAR, key) ? GRAMMAR[key] : undefined;
  if (grammar !== undefined) {
    return new SluiceError("bad_name", { detail: `${prefix}${grammar}`, param, ...where });
  }
  const isKnown = Object.hasOwn(entries, key);
  const fault = isKnown ? `\`${param}\` is missing or invalid` : `\`${param}\` is unknown`;
  return new SluiceError("invalid_request", {
    detail: `${prefix}${fault}. Expected ${shape}.`,
    param,
    ...where,
  });
}
