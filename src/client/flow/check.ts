/**
 * Owns the check of data by an application's validators. Refuses to drop anything: what
 * does not pass is told as invalid.
 */
import type { Invalid } from "../items.ts";
import type { SchemaIssue, StandardSchema } from "../schema.ts";

/** Validators by the name of the event. */
export type Schemas = Readonly<Record<string, StandardSchema>>;

/** What there is to check. */
export interface Unchecked {
  readonly event: string;
  readonly data: unknown;
  readonly position: string;
}

/** One item: of checked data, or the one that says what is wrong; at once where there are no validators. */
export function check<Item>(
  schemas: Schemas | undefined,
  unchecked: Unchecked,
  make: (data: unknown) => Item,
): readonly Item[] | Promise<readonly (Item | Invalid)[]> {
  return schemas === undefined ? [make(unchecked.data)] : validate(schemas, unchecked, make);
}

async function validate<Item>(
  schemas: Schemas,
  unchecked: Unchecked,
  make: (data: unknown) => Item,
): Promise<readonly (Item | Invalid)[]> {
  const { event, data } = unchecked;
  const schema = Object.hasOwn(schemas, event) ? schemas[event] : undefined;
  let issues: readonly SchemaIssue[] = [{ message: "No validator for this event." }];
  try {
    if (schema !== undefined) {
      const result = await schema["~standard"].validate(data);
      if (result.issues === undefined) return [make(result.value)];
      ({ issues } = result);
    }
  } catch {
    issues = [{ message: "The validator failed." }];
  }
  return [{ kind: "invalid", ...unchecked, issues }];
}
