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
import { anObject, atKey, expecting, fields, positive } from "../protocol/variables.ts";
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

const capabilities = v.pipe(v.array(v.picklist(CAPABILITIES)), v.maxLength(CAPABILITIES.length));

/** Entries and not a record: a name like `__proto__` is then a mistake like any other. */
const canSchema = v.pipe(
  anObject,
  v.rawTransform(({ dataset: { value }, addIssue, NEVER }): readonly Grant[] => {
    const names = Object.keys(value);
    if (names.length > MAX_GRANTS) {
      addIssue({ expected: `${MAX_GRANTS} patterns at most` });
      return NEVER;
    }
    const grants: Grant[] = [];
    for (const name of names) {
      const target = parseTarget(name);
      const may = v.safeParse(capabilities, value[name]);
      if (target === undefined || !may.success) {
        const expected = may.issues?.[0].expected ?? "capabilities";
        addIssue({
          expected: target === undefined ? "<kind>/<pattern>" : expected,
          path: [atKey(value, name)],
        });
        return NEVER;
      }
      grants.push({ ...target, capabilities: may.output });
    }
    return grants;
  }),
);

/** Reads `<kind>/<pattern>`. */
function parseTarget(text: string): Pick<Grant, "kind" | "pattern"> | undefined {
  if (text.length > MAX_PATTERN_CHARS) return undefined;
  const slash = text.indexOf("/");
  const kind = KINDS.find((one) => one === text.slice(0, slash));
  const pattern = parsePattern(text.slice(slash + 1));
  return slash > 0 && kind !== undefined && pattern !== undefined ? { kind, pattern } : undefined;
}

const presenceSchema = v.pipe(
  anObject,
  expecting((value) => !Object.hasOwn(value, "__proto__"), "no field __proto__"),
  v.transform((value) => toAscii(JSON.stringify(value))),
  v.maxLength(MAX_FIXED_PRESENCE_CHARS),
);

const modelSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_PATTERN_CHARS));

/** What the claim means; says where a mistake is. */
export const accessSchema = v.pipe(
  fields({
    can: v.optional(canSchema, {}),
    models: v.optional(v.pipe(v.array(modelSchema), v.maxLength(MAX_MODEL_PATTERNS))),
    maxTokens: v.optional(positive),
    member: v.optional(v.pipe(v.string(), expecting(isMemberName, "a name of a member"))),
    presence: v.optional(presenceSchema),
  }),
  v.transform(({ can, models, maxTokens, member, presence }): Access => ({
    grants: can,
    models,
    maxTokens,
    member,
    presence,
  })),
);

/** What a claim means; undefined when it is not one. */
export function parseAccess(claim: unknown): Access | undefined {
  const result = v.safeParse(accessSchema, claim);
  return result.success ? result.output : undefined;
}

/** What `can` means; undefined when it means nothing. */
export function parseGrants(can: unknown): readonly Grant[] | undefined {
  const result = v.safeParse(canSchema, can);
  return result.success ? result.output : undefined;
}
