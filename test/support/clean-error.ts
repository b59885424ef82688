/** Owns what an error's body must not hold: anything that Sluice did not write for its reader (I9). */
import { expect } from "vitest";

/** Words of stacks, libraries, storage and code. */
const INNER =
  /\bat \S+ \(|\.[cm]?[jt]s:\d+|node_modules|SQLITE|sqlite|TypeError|RangeError|SyntaxError|ReferenceError|JwtToken|valibot|hono|workerd|durable-objects\/|Unexpected token|is not a function|undefined \(/;

/** Holds an error's body against it. */
export function expectClean(text: string): void {
  expect(text).not.toMatch(INNER);
}
