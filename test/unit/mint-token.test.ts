/** The script that makes tokens for development. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { capabilitiesOn } from "../../src/auth/grants.ts";
import { readAuthSettings } from "../../src/auth/settings.ts";
import { readToken } from "../../src/auth/token.ts";
import { SECRET } from "../support/tokens.ts";

const SCRIPT = resolve("scripts/mint-token.mjs");

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = ".") {
  const { PATH = "" } = process.env;
  const options = { encoding: "utf8", cwd, env: { PATH, ...env } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], options);
  return { status, stdout, stderr };
}

async function read(token: string, env: Readonly<Record<string, string>> = {}) {
  return await readToken(token, {
    settings: readAuthSettings({ AUTH_SECRET: SECRET, ...env }),
    now: Date.now() / 1_000,
    findKeys: () => Promise.reject(new Error("no keys in this test")),
  });
}

test("[E2] prints a token that opens what was asked for, and nothing else", async () => {
  const args = [
    "--sub",
    "alice",
    "--rooms",
    "lobby,team:*",
    "--topics",
    "news",
    "--can",
    "read,publish",
  ];
  const env = { AUTH_SECRET: SECRET, AUTH_ISSUER: "me", AUTH_AUDIENCE: "you" };
  const { status, stdout, stderr } = run([...args, "--ttl", "15m", "--models", "gpt-*"], env);
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const bearer = await read(stdout.trim(), { AUTH_ISSUER: "me", AUTH_AUDIENCE: "you" });
  expect(bearer).toMatchObject({ subject: "alice", access: { models: ["gpt-*"] } });
  expect(bearer.expiresAt - (bearer.issuedAt ?? 0)).toBe(900);
  const on = (kind: "rooms" | "topics", name: string) => [
    ...capabilitiesOn(bearer, { kind, name }, []),
  ];
  expect(on("rooms", "team:x")).toEqual(["read", "publish"]);
  expect(on("topics", "news")).toEqual(["read", "publish"]);
  expect(on("topics", "lobby")).toEqual([]);
});

test("[E2] finds the secret in .dev.vars, and never says it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mint-"));
  try {
    writeFileSync(join(folder, ".dev.vars"), `AUTH_SECRET="${SECRET}"\n`);
    const { status, stdout } = run(["--sub", "root", "--admin"], {}, folder);
    expect(status).toBe(0);
    const bearer = await read(stdout.trim());
    expect(capabilitiesOn(bearer, { kind: "topics", name: "a:b" }, []).has("admin")).toBe(true);
    const wrong = run(["--sub", "a", "--can", "everything", "--rooms", "x"], {}, folder);
    expect([wrong.status, wrong.stdout]).toEqual([1, ""]);
    expect(wrong.stderr).not.toContain(SECRET);
    expect(wrong.stderr).toContain("--can does not know everything. It knows: read, ");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  ["no subject", []],
  ["no time", ["--sub", "a", "--ttl", "soon"]],
  ["a bad pattern", ["--sub", "a", "--rooms", "[a-z]+"]],
  ["presence that is not JSON", ["--sub", "a", "--presence", "{"]],
  ["an option that there is not", ["--sub", "a", "--secret", "x"]],
])("[E2] %s: says so, and prints no token", (_name, args) => {
  const { status, stdout, stderr } = run(args, { AUTH_SECRET: SECRET });
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toContain("--help");
});

test.each([
  [["--rooms", "lobby,[a-z]+"], "--rooms [a-z]+: this is not a pattern."],
  [["--rooms", "x", "--generations", "a/b"], "--generations a/b: this is not a pattern."],
  [["--max-tokens", "many"], "--max-tokens many: expected a whole number"],
  [["--member", ""], "--member : expected a name"],
  [["--presence", "[1]"], "--presence [1]: expected a JSON object"],
  [["--rooms", Array.from({ length: 65 }, (_, at) => `r${at}`).join()], "too many"],
])("[E2] %j: says which option is not understood, and what it was", (args, expected) => {
  const { status, stdout, stderr } = run(["--sub", "a", ...args], { AUTH_SECRET: SECRET });
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(expected);
});

test.each([
  [[], {}, "what the server's DEFAULT_ACCESS says"],
  [["--models", "gpt-*"], {}, "this token opens nothing"],
  [
    ["--generations", "*", "--can", "publish"],
    {},
    "--generations * with --can publish opens nothing",
  ],
  [["--topics", "a", "--can", "cancel"], {}, "there it may be read, history, publish, run, admin"],
  [[], { DEFAULT_ACCESS: "{}" }, undefined],
  [["--admin", "--topics", "a", "--can", "cancel"], {}, undefined],
  [["--rooms", "a", "--topics", "b", "--can", "read,presence"], {}, undefined],
])("[E2] %j: a token that opens nothing is made with a warning", (args, env, expected) => {
  const { status, stdout, stderr } = run(["--sub", "a", ...args], { AUTH_SECRET: SECRET, ...env });
  expect([status, stdout.split(".").length]).toEqual([0, 3]);
  if (expected === undefined) expect(stderr).toBe("");
  else expect(stderr).toContain(expected);
});

test("[E2] a capability of two is named that there is not, and one with a blank before it is one", async () => {
  const args = ["--sub", "a", "--rooms", "x", "--can"];
  const wrong = run([...args, "read,wirte"], { AUTH_SECRET: SECRET });
  expect([wrong.status, wrong.stdout]).toEqual([1, ""]);
  expect(wrong.stderr).toContain("--can does not know wirte.");
  const { stdout } = run([...args, "read, publish"], { AUTH_SECRET: SECRET });
  const { access } = await read(stdout.trim());
  expect(access.grants[0]?.capabilities).toEqual(["read", "publish"]);
});

test("[E2] a secret that is too short is not used: it says how long it is, and how to make another", () => {
  const { status, stdout, stderr } = run(["--sub", "a"], { AUTH_SECRET: "too short" });
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toContain("9 characters; the server asks for 32");
  expect(stderr).toContain("openssl rand -hex 32");
  expect(stderr).not.toContain("too short");
});

test("[E2] --help says what there is, without a secret", () => {
  const { status, stdout } = run(["--help"]);
  expect(status).toBe(0);
  for (const option of ["--sub", "--rooms", "--can", "--ttl"]) expect(stdout).toContain(option);
});
