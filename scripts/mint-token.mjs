// Makes a token for development: prints it, and nothing else, to standard output.
import { existsSync, readFileSync } from "node:fs";
import { parseArgs, parseEnv } from "node:util";
import { sign } from "hono/jwt";
import { parseAccess } from "../src/auth/claims.ts";
import { CAPABILITIES } from "../src/protocol/capabilities.ts";
import { MIN_AUTH_SECRET_CHARS } from "../src/protocol/limits.ts";

const HELP = `Usage: npm run -s token -- --sub alice --rooms lobby --can read,publish [options]

  --sub NAME             who the token is for (needed)
  --rooms PATTERNS       rooms it opens, with commas between them
  --topics PATTERNS      topics it opens
  --generations PATTERNS answers it opens; 'new' asks for them, '*' is all of them
  --can CAPABILITIES     what may be done to all of these (default: read); with commas between them:
                         read history publish presence direct run cancel admin
  --admin                everything, on everything
  --models MODELS        models that may be asked for; a * at the end stands for any rest
  --max-tokens N         the most tokens an answer may be asked for
  --member NAME          the name in rooms, instead of --sub
  --presence JSON        fields of the state in rooms that only the token decides
  --ttl TIME             how long it counts: 90s, 15m, 1h, 7d (default: 1h)
  --jti ID               a name of its own, by which it can be revoked (default: at random)
  --issuer, --audience   where AUTH_ISSUER or AUTH_AUDIENCE are set (default: these)

The secret is AUTH_SECRET of the environment or of .dev.vars. In a shell, put patterns in quotes.
Patterns: docs/access.md.
`;

const UNITS = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Which capabilities mean something on what: the table in docs/access.md. */
const MEANT = {
  rooms: ["read", "history", "publish", "presence", "direct", "admin"],
  topics: ["read", "history", "publish", "run", "admin"],
  generations: ["read", "run", "cancel", "admin"],
};

/** @param {string} message @returns {never} */
function fail(message) {
  process.stderr.write(`${message}\nTry: npm run -s token -- --help\n`);
  process.exit(1);
}

function read() {
  const text = /** @type {const} */ ({ type: "string" });
  const flag = /** @type {const} */ ({ type: "boolean" });
  try {
    return parseArgs({
      options: {
        sub: text,
        rooms: text,
        topics: text,
        generations: text,
        can: text,
        admin: flag,
        models: text,
        "max-tokens": text,
        member: text,
        presence: text,
        ttl: text,
        jti: text,
        issuer: text,
        audience: text,
        help: flag,
      },
    }).values;
  } catch (error) {
    return fail(error instanceof Error ? error.message : "These options are not understood.");
  }
}

/** @param {string | undefined} value */
const list = (value) => (value ?? "").split(",").filter((part) => part.trim() !== "");

const options = read();
if (options.help === true) {
  process.stdout.write(HELP);
  process.exit(0);
}

const file = existsSync(".dev.vars") ? parseEnv(readFileSync(".dev.vars", "utf8")) : {};
/** @param {string} name */
const variable = (name) => process.env[name] || file[name] || undefined;

const secret = variable("AUTH_SECRET");
if (secret === undefined) fail("AUTH_SECRET is neither in the environment nor in .dev.vars.");
if (secret.length < MIN_AUTH_SECRET_CHARS) {
  fail(
    `AUTH_SECRET has ${secret.length} characters; the server asks for ${MIN_AUTH_SECRET_CHARS}. ` +
      "Make one with: openssl rand -hex 32",
  );
}
if (options.sub === undefined) fail("--sub is missing: who is the token for?");

const [, amount, unit = ""] = /^(\d+)([smhd])$/.exec(options.ttl ?? "1h") ?? [];
if (amount === undefined) fail("--ttl is a number with s, m, h or d.");
const lifetime = Number(amount) * UNITS[/** @type {keyof typeof UNITS} */ (unit)];

const capabilities = list(options.can ?? "read").map((word) => word.trim());
const unknown = capabilities.filter((word) => !CAPABILITIES.some((known) => known === word));
if (unknown.length > 0) {
  fail(`--can does not know ${unknown.join(", ")}. It knows: ${CAPABILITIES.join(", ")}.`);
}

/** @type {Record<string, string[]>} */
const can = {};
for (const kind of /** @type {const} */ (["rooms", "topics", "generations"])) {
  for (const pattern of list(options[kind])) can[`${kind}/${pattern.trim()}`] = capabilities;
  if (options.admin === true) can[`${kind}/**`] = ["admin"];
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return fail("--presence is not JSON.");
  }
}

const sluice = {
  can,
  ...(options.models === undefined ? {} : { models: list(options.models) }),
  ...(options["max-tokens"] === undefined ? {} : { maxTokens: Number(options["max-tokens"]) }),
  ...(options.member === undefined ? {} : { member: options.member }),
  ...(options.presence === undefined ? {} : { presence: parse(options.presence) }),
};
// By the server's own rules: what it would refuse is not worth signing.
if (parseAccess(sluice) === undefined) fail(describeMistake());

/** Which option it is that the server would not understand. */
function describeMistake() {
  for (const target of Object.keys(can)) {
    if (parseAccess({ can: { [target]: capabilities } }) !== undefined) continue;
    const slash = target.indexOf("/");
    return `--${target.slice(0, slash)} ${target.slice(slash + 1)}: this is not a pattern.`;
  }
  const expected = /** @type {const} */ ({
    models: "names of models, as gpt-5-mini or gpt-5-*",
    "max-tokens": "a whole number from 1 on",
    member: "a name as members of rooms have",
    presence: "a JSON object, not too large",
  });
  const given = { ...sluice, "max-tokens": sluice.maxTokens };
  for (const [option, what] of Object.entries(expected)) {
    const value = given[/** @type {keyof typeof expected} */ (option)];
    const claim = { [option === "max-tokens" ? "maxTokens" : option]: value };
    if (value !== undefined && parseAccess(claim) === undefined) {
      return `--${option} ${options[/** @type {keyof typeof expected} */ (option)]}: expected ${what}.`;
    }
  }
  return "--rooms, --topics, --generations, --can: there are too many for one token.";
}

/** @param {string} message */
function warn(message) {
  process.stderr.write(`Warning: ${message}\n`);
}

for (const kind of /** @type {const} */ (["rooms", "topics", "generations"])) {
  if (options.admin === true || list(options[kind]).length === 0) continue;
  if (capabilities.some((word) => MEANT[kind].includes(word))) continue;
  const words = capabilities.length === 0 ? "nothing" : capabilities.join(",");
  warn(
    `--${kind} ${options[kind]} with --can ${words} opens nothing; there it may be ${MEANT[kind].join(", ")}.`,
  );
}
const hasClaim = JSON.stringify(sluice) !== '{"can":{}}';
if (Object.keys(can).length === 0 && (hasClaim || variable("DEFAULT_ACCESS") === undefined)) {
  warn(
    hasClaim
      ? "this token opens nothing: say what with --rooms, --topics, --generations or --admin."
      : "this token opens what the server's DEFAULT_ACCESS says, which is nothing if it is not set. --rooms, --topics, --generations or --admin open more.",
  );
}

const now = Math.floor(Date.now() / 1_000);
const issuer = options.issuer ?? variable("AUTH_ISSUER");
const audience = options.audience ?? variable("AUTH_AUDIENCE");
const claims = {
  sub: options.sub,
  iat: now,
  exp: now + lifetime,
  jti: options.jti ?? crypto.randomUUID(),
  ...(issuer === undefined ? {} : { iss: issuer }),
  ...(audience === undefined ? {} : { aud: audience }),
  // Without the claim, a token opens what DEFAULT_ACCESS says.
  ...(hasClaim ? { sluice } : {}),
};
process.stdout.write(`${await sign(claims, secret, "HS256")}\n`);
