/**
 * Owns what every error answer of the suite is held against (I9): it is a problem of the table and
 * holds nothing from inside. Refuses to know which request it answers.
 */
import { describeError, isErrorCode } from "../../src/protocol/errors.ts";

/** What would come from inside: traces, names of classes and files, the database's and the runtime's words. */
const INNER = [
  /(?:\n|\\n)\s+at /,
  /\b(?:Type|Range|Reference|Syntax|Eval|URI|Aggregate|Valibot|Valid)Error\b|\bDOMException\b/,
  /\b(?:SQLITE|sqlite_|durable-objects\/|node_modules)|\.(?:ts|js|mjs):\d+/,
  /internal error; reference|Cannot read propert|is not a function|is not iterable|\[object Object\]/,
];

/**
 * Looks at an answer that is an error; any other passes.
 *
 * @throws Error that says what is wrong with it.
 */
export function checkErrorAnswer(status: number, type: string | undefined, text: string): void {
  if (status < 400 || text === "") return;
  const complain = (what: string): never => {
    throw new Error(`An error answer ${what}: ${status} ${type} ${text.slice(0, 500)}`);
  };
  const inner = INNER.find((pattern) => pattern.test(text));
  if (inner !== undefined) complain(`holds inner text (${inner.source})`);
  if (type !== "application/problem+json") return;
  const { code, status: said } = JSON.parse(text) as { code?: unknown; status?: unknown };
  if (typeof code !== "string" || !isErrorCode(code)) return complain("has no code of the table");
  if (said !== status || describeError(code).status !== status) complain("has another's status");
}
