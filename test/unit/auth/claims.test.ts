import { describe, expect, test } from "vitest";
import { parseAccess } from "../../../src/auth/claims.ts";
import { capabilitiesOn, mayUseModel } from "../../../src/auth/grants.ts";
import type { Bearer } from "../../../src/auth/principal.ts";
import type { Kind } from "../../../src/protocol/capabilities.ts";
import { MAX_FIXED_PRESENCE_CHARS, MAX_GRANTS } from "../../../src/protocol/limits.ts";

function bearer(claim: unknown): Bearer {
  const access = parseAccess(claim);
  if (access === undefined) throw new Error("the claim was not understood");
  const facts = { subject: "ann", tokenId: undefined, issuedAt: undefined, expiresAt: 9e9 };
  return { kind: "subject", ...facts, claim, access };
}

const on = (claim: unknown, kind: Kind, name: string): readonly string[] =>
  [...capabilitiesOn(bearer(claim), { kind, name }, [])].toSorted();

describe("[I8] the claim of a token", () => {
  test("opens what it names and nothing else", () => {
    const claim = { can: { "rooms/a": ["read"], "rooms/a*": ["publish"], "topics/b": ["admin"] } };
    expect(on(claim, "rooms", "a")).toEqual(["publish", "read"]);
    expect(on(claim, "rooms", "ab")).toEqual(["publish"]);
    expect(on(claim, "topics", "a")).toEqual([]);
    expect(on(claim, "generations", "a")).toEqual([]);
    expect(on(claim, "topics", "b")).toHaveLength(8);
    expect(on({}, "rooms", "a")).toEqual([]);
  });

  test.each<readonly [string, unknown]>([
    ["a text", "all"],
    ["nothing", null],
    ["a number", 1],
    ["can as a list", { can: ["rooms/a"] }],
    ["can as a text", { can: "rooms/a:read" }],
    ["no kind", { can: { a: ["read"] } }],
    ["an unknown kind", { can: { "users/a": ["read"] } }],
    ["an inherited kind", { can: { "constructor/a": ["read"] } }],
    ["all kinds", { can: { "*/a": ["read"] } }],
    ["no pattern", { can: { "rooms/": ["read"] } }],
    ["a regular expression", { can: { "rooms/(a+)+$": ["read"] } }],
    ["an unknown capability", { can: { "rooms/a": ["everything"] } }],
    ["a capability alone", { can: { "rooms/a": "read" } }],
    ["too many capabilities", { can: { "rooms/a": Array.from({ length: 9 }, () => "read") } }],
    ["a field that there is not", { cann: {} }],
    ["a member that is no name", { member: "../root" }],
    ["a member that looks like another", { member: "\u0430nn" }],
    ["no tokens", { maxTokens: 0 }],
    ["presence as a list", { presence: [] }],
    ["presence as a text", { presence: "host" }],
    ["too much presence", { presence: { x: "y".repeat(MAX_FIXED_PRESENCE_CHARS) } }],
    ["a long pattern", { can: { [`rooms/${"a".repeat(200)}`]: ["read"] } }],
    [
      "too many patterns",
      {
        can: Object.fromEntries(
          Array.from({ length: MAX_GRANTS + 1 }, (_, n) => [`rooms/${n}`, ["read"]]),
        ),
      },
    ],
  ])("with %s is none", (_name, claim) => {
    expect(parseAccess(claim)).toBeUndefined();
  });

  test.each([
    '{"can":{"__proto__":["admin"]}}',
    '{"can":{"rooms/a":["read"],"__proto__":{"rooms/**":["admin"]}}}',
    '{"__proto__":{"can":{"rooms/**":["admin"]}}}',
    '{"constructor":{"prototype":{"can":{"rooms/**":["admin"]}}}}',
    '{"presence":{"__proto__":{"role":"admin"}}}',
  ])("pollutes nothing: %s", (json) => {
    const access = parseAccess(JSON.parse(json));
    // Either not understood, or worth nothing.
    expect(access?.grants ?? []).toEqual([]);
    expect(access?.presence).toBeUndefined();
    expect(({} as Record<string, unknown>)["can"]).toBeUndefined();
    expect(({} as Record<string, unknown>)["role"]).toBeUndefined();
  });

  test("names models, or their beginnings", () => {
    expect(mayUseModel(undefined, "any")).toBe(true);
    expect(mayUseModel([], "any")).toBe(false);
    expect(mayUseModel(["gpt-5-*", "llama"], "gpt-5-mini")).toBe(true);
    expect(mayUseModel(["gpt-5-*", "llama"], "llama-2")).toBe(false);
    expect(mayUseModel(["gpt-5-*"], "gpt-5")).toBe(false);
  });
});
