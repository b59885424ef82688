/**
 * Owns the check of an event's data by the application's validators. Refuses to drop anything: what
 * does not pass is told as invalid.
 */
import type { Invalid } from "../items.ts";
import type { SchemaIssue, StandardResult, StandardSchema } from "../schema.ts";

/** Validators by the name of the event. */
export type Schemas = Readonly<Record<string, StandardSchema>>;

/** What there is to check. */
export interface Unchecked {
  readonly event: string;
  readonly data: unknown;
  readonly position: string;
}

/** The item of checked data, or the one that says what is wrong; a promise where a validator needs time. */
export function check<Item>(
  schemas: Schemas | undefined,
  unchecked: Unchecked,
  make: (data: unknown) => Item,
): Item | Invalid | Promise<Item | Invalid> {
  const { event, data } = unchecked;
  if (schemas === undefined) return make(data);
  const schema = Object.hasOwn(schemas, event) ? schemas[event] : undefined;
  if (schema === undefined) return refuse(unchecked, [{ message: "No validator for this event." }]);
  const settle = (result: StandardResult<unknown>): Item | Invalid =>
    result.issues === undefined ? make(result.value) : refuse(unchecked, result.issues);
  try {
    const result = schema["~standard"].validate(data);
    if (!(result instanceof Promise)) return settle(result);
    return result.then(settle, () => refuse(unchecked, FAILED));
  } catch {
    return refuse(unchecked, FAILED);
  }
}

const FAILED: readonly SchemaIssue[] = [{ message: "The validator failed." }];

function refuse({ event, data, position }: Unchecked, issues: readonly SchemaIssue[]): Invalid {
  return { kind: "invalid", event, data, issues, position };
}
