/**
 * Owns how the operator's variables are written: what text, addresses, lists and counts look like.
 * Refuses to know any variable. A value is never repeated in an error: it may be a secret.
 */
import * as v from "valibot";
import { SluiceError } from "./errors.ts";

/** Characters of a name in a variable that an error repeats. */
const MAX_KEY_CHARS = 64;

/** An unset variable and one set to nothing are the same: that is how people switch one off. */
export const text = v.pipe(
  v.optional(v.string(), ""),
  v.transform((value) => (value.trim() === "" ? undefined : value.trim())),
);

/** A check that can say what it expects. */
export function expecting<Value>(
  isExpected: (value: Value) => boolean,
  expected: string,
): v.RawCheckAction<Value> {
  return v.rawCheck<Value>(({ dataset, addIssue }) => {
    if (dataset.typed && !isExpected(dataset.value)) addIssue({ expected });
  });
}

/** An address as it stands in a variable. */
export const address = v.pipe(
  v.string(),
  expecting(
    (value) => /^https?:\/\//.test(value) && URL.canParse(value),
    "an address that begins with https:// or http://",
  ),
);

/** An address of the web. */
export const url = v.pipe(text, v.optional(address));

/** Words with commas between them. */
export const list = v.pipe(
  text,
  v.transform((value) =>
    (value ?? "")
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  ),
);

/** A number of JSON, whole and from 1 on. */
export const positive = v.pipe(v.number(), v.integer(), v.minValue(1));

/** A whole number from 1 on. */
export const count = (fallback: number) =>
  v.pipe(
    text,
    v.transform((value) => (value === undefined ? fallback : Number(value))),
    positive,
  );

/** What is written as JSON and has this shape; undefined when it is unset. */
export const json = <Shape extends v.GenericSchema<unknown, unknown>>(shape: Shape) =>
  v.pipe(text, v.optional(v.pipe(v.string(), v.parseJson(), shape)));

/** An object of JSON. */
export const anObject = v.pipe(
  v.unknown(),
  expecting(isObject, "an object"),
  v.transform((value) => value as Readonly<Record<string, unknown>>),
);

/** An object of these fields and no others. */
export const fields = <const Entries extends v.ObjectEntries>(entries: Entries) =>
  v.pipe(
    anObject,
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const stray = Object.keys(dataset.value).find((key) => !Object.hasOwn(entries, key));
      if (stray === undefined) return;
      addIssue({
        expected: `no field but ${Object.keys(entries).join(", ")}`,
        path: [atKey(dataset.value, stray)],
      });
    }),
    v.object(entries),
  );

/** How the mistakes in some variables are told. */
interface Telling {
  /** Names that the operator made up may be repeated: no secret is written there. */
  readonly names: boolean;
}

/**
 * Reads variables by their schema.
 *
 * @throws SluiceError `misconfigured`, naming the variable, where in it the mistake is, and never a value.
 */
export function readVariables<Schema extends v.BaseSchema<unknown, unknown, v.BaseIssue<unknown>>>(
  schema: Schema,
  env: Readonly<Record<string, unknown>>,
  telling: Telling = { names: false },
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, env);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new SluiceError("misconfigured", {
    detail: `The variable ${describePath(issue, telling)} is not valid: expected ${describeExpected(issue)}.`,
  });
}

/** Where the mistake is. A name that should not be there is the operator's text: left out unless it may be told. */
function describePath({ path }: v.BaseIssue<unknown>, { names }: Telling): string {
  const told = path?.filter(({ origin }) => names || origin === "value") ?? [];
  return told.map(({ key }) => String(key).slice(0, MAX_KEY_CHARS)).join(".");
}

/** Of some mistakes the library only knows what it met, which may be a secret. */
function describeExpected({ type, expected }: v.BaseIssue<unknown>): string {
  if (type === "parse_json") return "JSON";
  if (type === "string") return "text";
  if (type === "integer") return "a whole number";
  if (type.endsWith("_length")) return `a length ${expected}`;
  return expected ?? "another value";
}

/** The place of a mistake in an entry whose name the operator made up. */
export function atKey(input: Readonly<Record<string, unknown>>, key: string): v.ObjectPathItem {
  return { type: "object", origin: "key", input, key, value: input[key] };
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
