/** Owns which fields of an object count as given. Refuses to know what they are for. */

/** The fields that are not undefined, with their names. */
export function given<Value>(
  fields: Readonly<Record<string, Value | undefined>>,
): [name: string, value: Value][] {
  return Object.entries(fields).filter((field): field is [string, Value] => field[1] !== undefined);
}
