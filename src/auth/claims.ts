/**
 * Owns the meaning of the claim `sluice`: what a token's bearer may do. Refuses to know how a token
 * is proved, and to guess: a claim that is not understood opens nothing.
 */
import * as v from "valibot";
import { CAPABILITIES, type Capability, KINDS, type Kind } from "../protocol/capabilities.ts";
import {
  MAX_FIXED_PRESENCE_CHARS,
  MAX_GRANTS,
  MAX_MODEL_PATTERNS,
  MAX_PATTERN_CHARS,
} from "../protocol/limits.ts";
import { isMemberName } from "../protocol/names.ts";
import { toAscii } from "../protocol/permit.ts";
import { type Pattern, parsePattern } from "./pattern.ts";

/** Some capabilities on all names of a kind that a pattern means. */
export interface Grant {
  readonly kind: Kind;
  readonly pattern: Pattern;
  readonly capabilities: readonly Capability[];
}

/** What a bearer may do. */
export interface Access {
  readonly grants: readonly Grant[];
  /** Names of models, or their beginnings with a `*`; undefined: those that the operator allows. */
  readonly models: readonly string[] | undefined;
  /** The most tokens that an answer may be asked for. */
  readonly maxTokens: number | undefined;
  /** The name of the member in rooms, instead of the subject. */
  readonly member: string | undefined;
  /** Fields of the member's state that nobody but the token decides, as a JSON object. */
  readonly presence: string | undefined;
}

/** Opens nothing. */
export const NO_ACCESS: Access = {
  grants: [],
  models: undefined,
  maxTokens: undefined,
  member: undefined,
  presence: undefined,
};

/** `<kind>/<pattern>`. */
const target = v.pipe(
  v.string(),
  v.maxLength(MAX_PATTERN_CHARS),
  v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
    const slash = value.indexOf("/");
    const kind = KINDS.find((one) => one === value.slice(0, slash));
    const pattern = parsePattern(value.slice(slash + 1));
    if (slash > 0 && kind !== undefined && pattern !== undefined) return { kind, pattern };
    addIssue({ message: "not a kind and a pattern" });
    return NEVER;
  }),
);

const capabilities = v.pipe(v.array(v.picklist(CAPABILITIES)), v.maxLength(CAPABILITIES.length));

/** Entries and not a record: a name like `__proto__` is then a mistake like any other. */
const canSchema = v.pipe(
  v.custom<object>((input) => typeof input === "object" && input !== null && !Array.isArray(input)),
  v.transform((value): readonly unknown[] => Object.entries(value)),
  v.maxLength(MAX_GRANTS),
  v.array(v.tuple([target, capabilities])),
  v.transform((entries): readonly Grant[] =>
    entries.map(([{ kind, pattern }, list]) => ({ kind, pattern, capabilities: list })),
  ),
);

const presenceSchema = v.pipe(
  v.custom<object>((input) => typeof input === "object" && input !== null && !Array.isArray(input)),
  v.check((value) => !Object.hasOwn(value, "__proto__")),
  v.transform((value) => toAscii(JSON.stringify(value))),
  v.maxLength(MAX_FIXED_PRESENCE_CHARS),
);

const modelSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_PATTERN_CHARS));

const accessSchema = v.strictObject({
  can: v.optional(canSchema, {}),
  models: v.optional(v.pipe(v.array(modelSchema), v.maxLength(MAX_MODEL_PATTERNS))),
  maxTokens: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  member: v.optional(v.pipe(v.string(), v.check(isMemberName))),
  presence: v.optional(presenceSchema),
});

/** What a claim means; undefined when it is not one. */
export function parseAccess(claim: unknown): Access | undefined {
  const result = v.safeParse(accessSchema, claim);
  if (!result.success) return undefined;
  const { can, models, maxTokens, member, presence } = result.output;
  return { grants: can, models, maxTokens, member, presence };
}

/** What `can` means; undefined when it means nothing. */
export function parseGrants(can: unknown): readonly Grant[] | undefined {
  const result = v.safeParse(canSchema, can);
  return result.success ? result.output : undefined;
}
