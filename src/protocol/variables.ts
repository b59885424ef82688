/**
 * Owns how the operator's variables are written: what text, addresses, lists and counts look like.
 * Refuses to know any variable. A value is never repeated in an error: it may be a secret.
 */
import * as v from "valibot";
import { SluiceError } from "./errors.ts";

/** An unset variable and one set to nothing are the same: that is how people switch one off. */
export const text = v.pipe(
  v.optional(v.string(), ""),
  v.transform((value) => (value.trim() === "" ? undefined : value.trim())),
);

/** An address of the web. */
export const url = v.pipe(text, v.optional(v.pipe(v.string(), v.url(), v.regex(/^https?:\/\//))));

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

/** A whole number from 1 on. */
export const count = (fallback: number) =>
  v.pipe(
    text,
    v.transform((value) => (value === undefined ? fallback : Number(value))),
    v.number(),
    v.integer(),
    v.minValue(1),
  );

/**
 * Reads variables by their schema.
 *
 * @throws SluiceError `misconfigured`, naming the variable and never its value.
 */
export function readVariables<Schema extends v.BaseSchema<unknown, unknown, v.BaseIssue<unknown>>>(
  schema: Schema,
  env: Readonly<Record<string, unknown>>,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, env);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new SluiceError("misconfigured", {
    detail: `The variable ${describePath(issue)} is not valid: expected ${issue.expected ?? "another value"}.`,
  });
}

/** Where the mistake is. The name of a field that should not be there is the operator's text: left out. */
function describePath({ path, type }: v.BaseIssue<unknown>): string {
  const keys = path?.map((item) => String(item.key)) ?? [];
  return (type === "strict_object" ? keys.slice(0, -1) : keys).join(".");
}
