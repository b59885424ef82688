/** Owns numbers as callers write them in URLs: digits and nothing else. Refuses to know what is counted. */
import { SluiceError } from "../protocol/errors.ts";
import type { AppContext } from "./app-env.ts";

/** The number that a text of up to 6 digits is; `NaN` for any other. */
export function parseDigits(text: string): number {
  return /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
}

/**
 * The number in the query under a name; undefined when there is none.
 *
 * @throws SluiceError `invalid_request`.
 */
export function readCount(
  c: AppContext,
  name: string,
  { least, most }: { readonly least: number; readonly most: number },
): number | undefined {
  const text = c.req.query(name);
  if (text === undefined) return undefined;
  const count = parseDigits(text);
  if (count >= least && count <= most) return count;
  throw new SluiceError("invalid_request", {
    detail: `Expected a number from ${least} to ${most}.`,
    param: name,
  });
}
