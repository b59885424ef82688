import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { NO_ACCESS } from "../../src/auth/claims.ts";
import { SluiceError } from "../../src/protocol/errors.ts";

const SECRET = "a-secret-of-thirty-two-characters";

function refusal(env: Record<string, unknown>): SluiceError {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof SluiceError) return error;
  }
  throw new Error("was accepted");
}

describe("[E2] configuration", () => {
  it("[E2] nothing set: this machine only, the demo, any model", () => {
    const config = readConfig({});
    expect(config.auth.rules).toEqual({ kind: "none" });
    expect(config.auth.defaultAccess).toEqual(NO_ACCESS);
    expect(config.auth.anonymousRead).toEqual([]);
    expect(config.upstreams).toEqual([]);
    expect(config.models).toBe("any");
    expect(config.allowedOrigins).toEqual(new Set());
  });

  it("[E2] empty variables count as unset", () => {
    expect(readConfig({ AUTH_SECRET: " ", OPENAI_API_KEY: "", MAX_TOKENS: "" })).toEqual(
      readConfig({}),
    );
  });

  it("[L1] a key or a base URL means a real provider, with a closed list of models", () => {
    expect(readConfig({ OPENAI_API_KEY: "k" }).models).toEqual(new Set(["gpt-5-mini"]));
    expect(readConfig({ OPENAI_BASE_URL: "http://127.0.0.1:1/v1" }).upstreams).toHaveLength(1);
    const listed = readConfig({ OPENAI_API_KEY: "k", OPENAI_MODEL: "a", ALLOWED_MODELS: "b, c" });
    expect(listed.models).toEqual(new Set(["a", "b", "c"]));
    expect(readConfig({ OPENAI_API_KEY: "k", ALLOWED_MODELS: "*" }).models).toBe("any");
  });

  it("[L5] fallbacks keep their order after the first provider", () => {
    const { upstreams } = readConfig({
      OPENAI_API_KEY: "k",
      LLM_FALLBACKS: JSON.stringify([
        { baseURL: "https://one.example/v1", model: "m" },
        { baseURL: "https://two.example/v1", apiKey: "l" },
      ]),
    });
    expect(upstreams.map(({ baseURL }) => baseURL)).toEqual([
      undefined,
      "https://one.example/v1",
      "https://two.example/v1",
    ]);
  });

  it.each([
    ["AUTH_SECRET", { AUTH_SECRET: "short-secret" }],
    ["AUTH_JWKS_URL", { AUTH_JWKS_URL: "not a url" }],
    ["AUTH_JWKS", { AUTH_JWKS: "{not JSON" }],
    ["AUTH_JWKS", { AUTH_JWKS: '{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}' }],
    ["AUTH_JWKS", { AUTH_JWKS: '{"keys":[{"kty":"RSA","kid":"a","n":"x","e":"y","d":"z"}]}' }],
    ["AUTH_JWKS", { AUTH_JWKS: '{"keys":[]}' }],
    ["DEFAULT_ACCESS", { DEFAULT_ACCESS: '{"can":{"topics/**":["everything"]}}' }],
    ["DEFAULT_ACCESS", { DEFAULT_ACCESS: '{"cann":{}}' }],
    ["ANONYMOUS_READ", { ANONYMOUS_READ: "topics/news:*,generations/**" }],
    ["ANONYMOUS_READ", { ANONYMOUS_READ: "topics/[a-z]+" }],
    ["LINK_SECRET", { LINK_SECRET: "short-secret" }],
    ["MAX_TOKEN_LIFETIME_S", { MAX_TOKEN_LIFETIME_S: "-1" }],
    ["OPENAI_BASE_URL", { OPENAI_BASE_URL: "ftp://files.example" }],
    ["MAX_TOKENS", { MAX_TOKENS: "many" }],
    ["KEEPALIVE_MS", { KEEPALIVE_MS: "0" }],
    ["LONG_POLL_MS", { LONG_POLL_MS: "soon" }],
    ["LLM_FALLBACKS", { OPENAI_API_KEY: "k", LLM_FALLBACKS: "[{]" }],
    [
      "LLM_FALLBACKS",
      { OPENAI_API_KEY: "k", LLM_FALLBACKS: '[{"baseUrl":"x","key":"sk-secret"}]' },
    ],
  ])("[I9] a bad %s is named, its value is not", (name, env) => {
    const error = refusal(env);
    expect(error.code).toBe("misconfigured");
    expect(error.detail).toContain(name);
    for (const value of Object.values(env)) expect(error.detail).not.toContain(value);
    expect(error.detail).not.toContain("sk-secret");
  });

  it.each([
    ["ROOM_CLASSES.default.maxMesages", { ROOM_CLASSES: '{"default":{"maxMesages":5}}' }],
    ["ROOM_CLASSES", { ROOM_CLASSES: "nonsense" }],
    ["WEBHOOK_EVENTS.1", { WEBHOOK_EVENTS: "room.occupied,room.burnt" }],
    ["WEBHOOK_URL", { WEBHOOK_URL: "http://receiver.example" }],
    ["ALLOWED_WHEN_ABANDONED.0", { ALLOWED_WHEN_ABANDONED: "cancle" }],
    ["STORE_WHEN_ABANDONED", { STORE_WHEN_ABANDONED: "never" }],
    ["QUOTA_BYTES_PER_DAY", { QUOTA_BYTES_PER_DAY: "-1" }],
  ])("[E2] what objects read is refused with the rest: %s", (place, env) => {
    expect(refusal(env).detail).toMatch(
      new RegExp(`^The variable ${place.replaceAll(".", "\\.")} is not valid: expected `),
    );
  });

  it.each([
    ["OPENAI_BASE_URL", "x", "an address that begins with https:// or http://"],
    ["WEBHOOK_URL", "http://x.example", "https without credentials, or this machine"],
    ["CHAT_WHEN_ABANDONED", "x", "continue, cancel or grace=<seconds>"],
    ["KEEPALIVE_MS", "1.5", "a whole number"],
    ["LLM_FALLBACKS", "[{", "JSON"],
    ["LLM_FALLBACKS.0", '[{"sk-secret":1}]', "no field but baseURL, apiKey, model"],
    ["LLM_FALLBACKS.0", "[{}]", '"baseURL"'],
    ["LLM_FALLBACKS.1", '[{"baseURL":"https://a.example"},"sk-secret"]', "an object"],
    ["DEFAULT_ACCESS", "{", "JSON"],
    ["DEFAULT_ACCESS.cann", '{"cann":{}}', "no field but can, models, maxTokens, member, presence"],
    ["DEFAULT_ACCESS.can.topics", '{"can":{"topics":["read"]}}', "<kind>/<pattern>"],
    ["DEFAULT_ACCESS.member", '{"member":"../x"}', "a name of a member"],
    ["DEFAULT_ACCESS.models.0", '{"models":[""]}', "a length >=1"],
    ["AUTH_JWKS", "{", "JSON"],
  ])("[E2] %s: %j is told what is expected", (place, value, expected) => {
    const [name = ""] = place.split(".");
    expect(refusal({ [name]: value }).detail).toBe(
      `The variable ${place} is not valid: expected ${expected}.`,
    );
  });

  it("[E2] a capability that there is not is told where it stands and which there are", () => {
    expect(refusal({ DEFAULT_ACCESS: '{"can":{"rooms/**":["red"]}}' }).detail).toMatch(
      /^The variable DEFAULT_ACCESS\.can\.rooms\/\*\* is not valid: expected \(.*"read".*\)\.$/,
    );
  });

  it.each(["AUTH_SECRET", "LINK_SECRET"])(
    "[E2] a short %s is told how long it has to be, and how to make one",
    (name) => {
      expect(refusal({ [name]: "short-secret" }).detail).toBe(
        `The variable ${name} is not valid: expected a secret of 32 characters or more; ` +
          "`openssl rand -hex 32` makes one.",
      );
    },
  );

  it("[E2] a secret and a JWKS at once are refused: which one counts would be a guess", () => {
    const all = {
      AUTH_SECRET: SECRET,
      AUTH_JWKS_URL: "https://issuer.example/jwks",
      AUTH_JWKS: '{"keys":[{"kty":"OKP","kid":"a","crv":"Ed25519","x":"eA"}]}',
    };
    const names = Object.keys(all) as (keyof typeof all)[];
    for (const name of names) {
      const { [name]: _without, ...two } = all;
      expect(refusal(two).code).toBe("misconfigured");
    }
  });
});
