/**
 * Owns the decision: what a principal may do to something with a name. Refuses to know doors, and how
 * it is told to whoever may not.
 */
import { CAPABILITIES, type Capability, type Kind } from "../protocol/capabilities.ts";
import { OPEN_PERMIT, type Permit } from "../protocol/permit.ts";
import type { Grant } from "./claims.ts";
import { matchesName, type Pattern } from "./pattern.ts";
import { expiryOf, type Principal } from "./principal.ts";

/** Something that can be opened. */
export interface Target {
  readonly kind: Kind;
  readonly name: string;
}

/** What everybody may read. */
export interface PublicPattern {
  readonly kind: Kind;
  readonly pattern: Pattern;
}

const NOTHING: ReadonlySet<Capability> = new Set();
const EVERYTHING: ReadonlySet<Capability> = new Set(CAPABILITIES);
const LOOKING: ReadonlySet<Capability> = new Set(["read", "history"]);
const WATCHING: ReadonlySet<Capability> = new Set(["read"]);

/** What a principal may do. @param everybodys what anybody may read, and so everybody. */
export function capabilitiesOn(
  principal: Principal,
  target: Target,
  everybodys: readonly PublicPattern[],
): ReadonlySet<Capability> {
  switch (principal.kind) {
    case "local":
      return EVERYTHING;
    case "link":
      return target.kind === "generations" && target.name === principal.generation
        ? WATCHING
        : NOTHING;
    case "anonymous":
      return isPublic(target, everybodys) ? LOOKING : NOTHING;
    case "subject": {
      const { access, within, subject } = principal;
      const own = gather(access.grants, target, subject);
      const narrowed = within === undefined ? own : common(own, gather(within, target, subject));
      return isPublic(target, everybodys) ? new Set([...narrowed, ...LOOKING]) : narrowed;
    }
  }
}

function gather(
  grants: readonly Grant[],
  { kind, name }: Target,
  subject: string,
): ReadonlySet<Capability> {
  const found = new Set<Capability>();
  for (const grant of grants) {
    if (grant.kind !== kind || !matchesName(grant.pattern, name, subject)) continue;
    for (const capability of grant.capabilities) found.add(capability);
  }
  return found.has("admin") ? EVERYTHING : found;
}

function common(a: ReadonlySet<Capability>, b: ReadonlySet<Capability>): ReadonlySet<Capability> {
  return new Set([...a].filter((capability) => b.has(capability)));
}

function isPublic({ kind, name }: Target, everybodys: readonly PublicPattern[]): boolean {
  return everybodys.some((one) => one.kind === kind && matchesName(one.pattern, name, undefined));
}

/** What an object needs to know of a principal who connects to it. */
export function permitFor(
  principal: Principal,
  target: Target,
  everybodys: readonly PublicPattern[],
): Permit {
  if (principal.kind === "local") return OPEN_PERMIT;
  const can = [...capabilitiesOn(principal, target, everybodys)];
  if (principal.kind !== "subject") return { can, expiresAt: expiryOf(principal) };
  const { subject, tokenId, issuedAt, expiresAt, access } = principal;
  const { member = subject, presence } = access;
  return { can, subject, tokenId, issuedAt, expiresAt, member, presence };
}

/** Whether a model is among those that a token names; a `*` at the end stands for any rest. */
export function mayUseModel(models: readonly string[] | undefined, model: string): boolean {
  return (
    models === undefined ||
    models.some((one) => (one.endsWith("*") ? model.startsWith(one.slice(0, -1)) : model === one))
  );
}
