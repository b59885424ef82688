/**
 * Owns the invention of values: for a JSON schema, always the same plausible one. Refuses to
 * validate; what it does not understand of a schema it leaves out.
 */
import { isRecord } from "../chunk.ts";

/** Levels of a schema that are filled: schemas may contain themselves. */
const MAX_DEPTH = 8;

/** Values made for one schema: eight levels of a hundred references each would never end. */
const MAX_VALUES = 1_000;

/** Texts for the formats that tools really ask for. */
const FORMATS: ReadonlyMap<unknown, string> = new Map([
  ["date", "2026-01-31"],
  ["date-time", "2026-01-31T12:00:00Z"],
  ["time", "12:00:00Z"],
  ["email", "demo@example.com"],
  ["uri", "https://example.com/"],
  ["uuid", "00000000-0000-4000-8000-000000000000"],
]);

/** A value for a schema. `name` is what a text is called when nothing else is known about it. */
export function sampleValue(schema: unknown, name = "value"): unknown {
  return sample(schema, { name, root: schema, depth: 0, budget: { left: MAX_VALUES } });
}

interface Place {
  readonly name: string;
  /** The whole schema, in which references are looked up. */
  readonly root: unknown;
  readonly depth: number;
  /** Shared by all places of one schema. */
  readonly budget: { left: number };
}

function sample(schema: unknown, place: Place): unknown {
  if (!isRecord(schema) || place.depth > MAX_DEPTH || place.budget.left <= 0) return null;
  place.budget.left -= 1;
  const deeper = { ...place, depth: place.depth + 1 };
  if ("const" in schema) return schema["const"];
  if ("default" in schema) return schema["default"];
  for (const list of ["examples", "enum"]) {
    const values = schema[list];
    if (Array.isArray(values) && values.length > 0) return values[0] as unknown;
  }
  if (typeof schema["$ref"] === "string") {
    return sample(lookUp(schema["$ref"], place.root), deeper);
  }
  for (const union of ["anyOf", "oneOf", "allOf"]) {
    const options = schema[union];
    if (Array.isArray(options)) return sample(options[0], deeper);
  }
  switch (typeOf(schema)) {
    case "object":
      return sampleObject(schema, deeper);
    case "array":
      return [sample(schema["items"], deeper)];
    case "integer":
      return Math.ceil(sampleNumber(schema));
    case "number":
      return sampleNumber(schema);
    case "boolean":
      return true;
    case "string":
      return sampleText(schema, place.name);
    default:
      return null;
  }
}

function sampleObject(schema: Record<string, unknown>, place: Place): unknown {
  const { properties } = schema;
  if (!isRecord(properties)) return {};
  return Object.fromEntries(
    Object.entries(properties).map(([name, inner]) => [name, sample(inner, { ...place, name })]),
  );
}

function sampleNumber({ minimum, maximum }: Record<string, unknown>): number {
  const least = typeof minimum === "number" ? minimum : 1;
  return typeof maximum === "number" ? Math.min(least, maximum) : least;
}

function sampleText({ format, maxLength }: Record<string, unknown>, name: string): string {
  const text = FORMATS.get(format) ?? `example ${name}`;
  return typeof maxLength === "number" ? text.slice(0, maxLength) : text;
}

/** The type, or the first that is not null of several; an object when only its properties are told. */
function typeOf({ type, properties }: Record<string, unknown>): unknown {
  if (Array.isArray(type)) return type.find((one) => one !== "null");
  return type ?? (properties === undefined ? undefined : "object");
}

/** What a reference like `#/$defs/Place` points to; references to elsewhere are not followed. */
function lookUp(reference: string, root: unknown): unknown {
  if (!reference.startsWith("#")) return undefined;
  return reference
    .split("/")
    .slice(1)
    .reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), root);
}
