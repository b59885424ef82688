/** Models and amounts of a token, besides the operator's. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ScriptedUpstream, startUpstream } from "../support/scripted-upstream.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { now, SECRET } from "../support/tokens.ts";
import { answersWell } from "../support/upstream-scripts.ts";
import { sign } from "hono/jwt";

let upstream: ScriptedUpstream;
let worker: RunningWorker;

beforeAll(async () => {
  upstream = await startUpstream(answersWell);
  worker = await startWorker({
    AUTH_SECRET: SECRET,
    OPENAI_BASE_URL: upstream.baseURL,
    OPENAI_MODEL: "small",
    ALLOWED_MODELS: "small,large-1,large-2",
    MAX_TOKENS: "1000",
  });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const can = { "generations/*": ["run", "read"] };

async function ask(sluice: object, body: object, path = "/v1/chat/completions") {
  upstream.reply(answersWell);
  const token = await sign(
    { sub: "ann", iat: now(), exp: now() + 600, sluice: { can, ...sluice } },
    SECRET,
  );
  const response = await fetch(worker.origin + path, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ messages: [{ role: "user", content: "?" }], ...body }),
  });
  const text = await response.text();
  const code = response.ok ? undefined : (JSON.parse(text) as { code: string }).code;
  const id = response.headers.get("sluice-generation");
  return { status: response.status, code, id, sent: upstream.exchanges[0]?.body };
}

test("[I8][E2] a token narrows the operator's models and never widens them", async () => {
  const large = { models: ["large-*", "other"] };
  expect(await ask(large, { model: "large-1" })).toMatchObject({ status: 200 });
  for (const body of [
    { model: "small" },
    { model: "other" },
    {},
    { model: "large-1", models: ["small"] },
  ]) {
    expect(await ask(large, body)).toMatchObject({ status: 403, code: "model_not_allowed" });
    expect(await ask(large, body, "/api/chat")).toMatchObject({ status: 403 });
  }
  expect(await ask({}, { model: "small" })).toMatchObject({ status: 200 });
  expect(await ask({}, { model: "other" })).toMatchObject({ status: 403 });
});

test("[I8][E2] the smaller ceiling counts, the token's or the operator's", async () => {
  expect(await ask({ maxTokens: 50 }, { max_tokens: 51 })).toMatchObject({
    status: 400,
    code: "too_many_tokens",
  });
  expect((await ask({ maxTokens: 50 }, {})).sent).toMatchObject({ max_completion_tokens: 50 });
  expect((await ask({ maxTokens: 5_000 }, {})).sent).toMatchObject({
    max_completion_tokens: 1_000,
  });
});

test("[I8][E2] what was allowed once is looked at again when it is asked again", async () => {
  const { id } = await ask({}, { model: "large-1", store: true });
  const restart = `/v1/chat/completions/${id}/restart`;
  expect(await ask({ models: ["small"] }, {}, restart)).toMatchObject({
    status: 403,
    code: "model_not_allowed",
  });
  expect(await ask({ models: ["large-*"] }, {}, restart)).toMatchObject({ status: 200 });
});
