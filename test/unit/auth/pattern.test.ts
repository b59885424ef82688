import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchesName, parsePattern } from "../../../src/auth/pattern.ts";

function matches(text: string, name: string, subject?: string): boolean | undefined {
  const pattern = parsePattern(text);
  return pattern === undefined ? undefined : matchesName(pattern, name, subject);
}

describe("[I8] patterns of names", () => {
  test.each([
    ["a", ["a"], ["b", "aa", "a:b", "A", ""]],
    ["*", ["a", "a-b.c"], ["a:b", "", ":"]],
    ["a:*", ["a:b"], ["a", "a:", "a:b:c", "b:a"]],
    ["a:*:c", ["a:b:c"], ["a::c", "a:b:d", "a:b:c:d"]],
    ["team-*", ["team-1", "team-"], ["team", "ateam-1", "team-1:x"]],
    ["a:team-*:b", ["a:team-1:b"], ["a:other:b", "a:team-1:c"]],
    ["**", ["a", "a:b", "a:b:c"], []],
    ["a:**", ["a:b", "a:b:c"], ["a", "b:a", "ab:c"]],
    ["user:{sub}", ["user:ann"], ["user:bob", "user:", "user:ann:x", "ann"]],
    ["user:{sub}:**", ["user:ann:x", "user:ann:x:y"], ["user:ann", "user:bob:x"]],
  ])("%s", (pattern, named, others) => {
    for (const name of named) expect([name, matches(pattern, name, "ann")]).toEqual([name, true]);
    for (const name of others) expect([name, matches(pattern, name, "ann")]).toEqual([name, false]);
  });

  test.each([
    "",
    ":",
    "a:",
    ":a",
    "a::b",
    "**:a",
    "a**",
    "*a",
    "a*b",
    "***",
    "{sub}x",
    "{sub",
    "{SUB}",
    "{jti}",
    "a/b",
    "a b",
    "[a-z]+",
    "(a+)+$",
    "a|b",
    "%2e",
    "\u0430",
    "a\n",
    "..\\",
    "\u202ea",
  ])("%j is no pattern", (text) => {
    expect(parsePattern(text)).toBeUndefined();
  });

  test("a subject is one whole segment, and never a pattern itself", () => {
    expect(matches("user:{sub}", "user:a:b", "a:b")).toBe(false);
    expect(matches("user:{sub}", "user:x", "*")).toBe(false);
    expect(matches("user:{sub}:x", "user::x", "")).toBe(false);
    expect(matches("user:{sub}", "user:undefined", undefined)).toBe(false);
    expect(matches("{sub}", "**", "**")).toBe(true);
  });

  test("only exact names match a literal, whatever names there are", () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._~:@-]{0,40}$/);
    fc.assert(
      fc.property(name, name, (one, other) => {
        const pattern = parsePattern(one);
        if (pattern === undefined) return;
        expect(matchesName(pattern, other, undefined)).toBe(one === other);
      }),
      { verbose: true },
    );
  });

  test("matching takes one pass, whatever is tried", () => {
    const name = `${"a".repeat(60)}:`.repeat(1_000);
    const started = performance.now();
    for (const text of ["a*:".repeat(60).slice(0, -1), `${"*:".repeat(90)}**`, "a".repeat(190)]) {
      for (let round = 0; round < 200; round += 1) matches(text, name, "a".repeat(256));
    }
    // A thousand times what it takes, and nothing to what backtracking would.
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
