/** Stored answers over real HTTP: cut anywhere and read on, byte for byte. */
import { describe, expect, test } from "vitest";
import { generationOf, idOf, messages, readText, readUntil } from "../support/generation-client.ts";
import { DONE, ROLE, TEXT, USAGE, chunk } from "../support/openai-events.ts";
import { until } from "../support/until.ts";
import { serveGenerations } from "../support/serve-generations.ts";
import {
  answersWell,
  keepsTalking,
  plays,
  refuses,
  stallsAfter,
} from "../support/upstream-scripts.ts";

const server = serveGenerations();

/** Thinks, says a lot in several scripts, asks for two tools. */
const LONG: readonly string[] = [
  ROLE,
  ...["Hm", ", let me", " see 🤔"].map((text) => chunk({ reasoning_content: text })),
  chunk({ reasoning_content: " …", content: "Grüße" }),
  ...Array.from({ length: 40 }, (_, at) => chunk({ content: ` ${at}: 東京 👩‍👩‍👧 "quoted"\n` })),
  ...[0, 1].flatMap((index) => [
    chunk({
      tool_calls: [
        {
          index,
          id: `call_${index}`,
          type: "function",
          function: { name: "weather", arguments: "" },
        },
      ],
    }),
    chunk({ tool_calls: [{ index, function: { arguments: '{"city":' } }] }),
    chunk({ tool_calls: [{ index, function: { arguments: '"Linz 🏙"}' } }] }),
  ]),
  chunk({}, "tool_calls"),
  USAGE,
  DONE,
];

describe.each(["/v1/chat/completions", "/api/chat"])("through %s", (door) => {
  test("[L4][I3] an answer cut after any of its events is read on, byte for byte", async () => {
    server.upstream.reply(plays(LONG));
    const body = { messages, stream: true, store: true };
    const headers = { accept: "text/event-stream" };
    const whole = await readText(await server.client.post(door, body, headers));
    const id = generationOf(whole.response);
    expect(whole.events.length).toBeGreaterThan(45);
    expect(new Set(whole.events.map(idOf)).size).toBe(whole.events.length);
    expect((await readText(await server.client.watch(id, undefined, door))).text).toBe(whole.text);
    for (const [at, event] of whole.events.slice(0, -1).entries()) {
      const rest = await readText(await server.client.watch(id, idOf(event), door));
      expect(whole.events.slice(0, at + 1).join("") + rest.text).toBe(whole.text);
    }
    expect(server.upstream.exchanges.length).toBe(1);
  });
});

test("[L4] cursors: the end, before the beginning, beyond, of another answer, and no cursor at all", async () => {
  server.upstream.reply(answersWell);
  const one = await readText(await server.client.start());
  const two = await readText(await server.client.start());
  const id = generationOf(one.response);
  const last = idOf(one.events.at(-1) ?? "");
  const [epoch] = last.split("_");
  const at = (cursor: string) => server.client.watch(id, cursor);
  expect((await at(last)).status).toBe(204);
  expect(await (await at(`${epoch}_0000000000000000`)).text()).toBe(one.text);
  expect(await (await at("")).text()).toBe(one.text);
  for (const cursor of [
    `${epoch}_0000000000000999`,
    `${epoch}_9999999999999999`,
    `${last}.1`,
    `${epoch}_0000000000000000.1`,
    "nonsense",
    idOf(two.events[0] ?? ""),
  ]) {
    const response = await at(cursor);
    expect([cursor, response.status]).toEqual([cursor, 400]);
    expect(await response.json()).toMatchObject({ code: "bad_position" });
  }
  expect((await server.client.watch(`gen_${"0".repeat(32)}`)).status).toBe(404);
  expect((await server.client.watch("nonsense")).status).toBe(404);
});

test("[L4][L3] a client that reloads in mid-answer misses nothing and pays once", async () => {
  let release = (): void => {};
  const pause = new Promise<void>((resolve) => {
    release = resolve;
  });
  server.upstream.reply(async (wire) => {
    wire.head(200, { "content-type": "text/event-stream" });
    for (const event of LONG.slice(0, 10)) await wire.write(event);
    await pause;
    for (const event of LONG.slice(10)) await wire.write(event);
    wire.end();
  });
  const response = await server.client.start();
  const before = await readUntil(response, (text) => text.includes("Grüße"));
  const events = before.split(/(?<=\n\n)/);
  const id = generationOf(response);
  const rest = server.client.watch(id, idOf(events.at(-1) ?? ""));
  await until("the second viewer to be served", async () => (await rest).status === 200);
  release();
  const after = await (await rest).text();
  expect(before + after).toBe(await (await server.client.watch(id)).text());
  expect(server.upstream.exchanges.length).toBe(1);
});

test("[L1] the finished answer, its usage, and nothing of it after it was deleted", async () => {
  server.upstream.reply(answersWell);
  const response = await server.client.start({ metadata: { ticket: "7" } });
  const id = generationOf(response);
  const { text } = await readText(response);
  expect(text).not.toContain("total_tokens");
  expect(await server.client.describe(id)).toMatchObject({
    id,
    object: "chat.completion",
    choices: [{ message: { role: "assistant", content: TEXT }, finish_reason: "stop" }],
    usage: { total_tokens: 8 },
    metadata: { ticket: "7" },
    generation: { state: "completed", error: null, follows: null },
  });
  const [asked] = server.upstream.exchanges;
  expect(asked?.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  expect(asked?.body).not.toHaveProperty("store");
  expect(asked?.body).not.toHaveProperty("metadata");
  expect(await (await server.client.delete(`/v1/chat/completions/${id}`)).json()).toMatchObject({
    deleted: true,
  });
  expect((await server.client.get(`/v1/chat/completions/${id}`)).status).toBe(404);
  expect((await server.client.delete(`/v1/chat/completions/${id}`)).status).toBe(404);
});

test("[L3][L4] a stop ends the provider's work and every viewer, once and for good", async () => {
  server.upstream.reply(keepsTalking(chunk({ content: "word " }), 5));
  const response = await server.client.start();
  const id = generationOf(response);
  const second = readText(await server.client.watch(id));
  const first = readText(response);
  expect((await server.client.get(`/v1/chat/completions/${id}`)).status).toBe(202);
  await until("some words", () => (server.upstream.exchanges[0]?.sentBytes() ?? 0) > 2_000);
  expect((await server.client.stop(id)).generation.state).toBe("stopped");
  await until("the provider's socket to close", () => server.upstream.openSockets() === 0);
  expect((await server.client.stop(id)).generation.state).toBe("stopped");
  const [a, b] = await Promise.all([first, second]);
  expect(a.text).toBe(b.text);
  expect(a.events.at(-1)).toContain("generation_stopped");
  const description = await server.client.describe(id);
  expect(description.usage).toMatchObject({ estimated: true });
  expect(description.choices[0]?.message.content).toMatch(/^(word )+$/);
  expect((await server.client.watch(id)).status).toBe(200);
});

test("[L1][L4] model and time of an answer are the same in its events, while it is written and afterwards", async () => {
  const said = [ROLE, chunk({ content: "Grüße" })];
  server.upstream.reply(
    stallsAfter(said.map((text) => text.replace("test-model", "test-model-7"))),
  );
  const response = await server.client.start();
  const id = generationOf(response);
  const event = await readUntil(response, (text) => text.includes("Grüße"));
  const { model, created } = await server.client.describe(id);
  expect(model).toBe("test-model-7");
  expect(event).toContain(`"created":${created},"model":"${model}"`);
  await server.client.stop(id);
  expect(await server.client.describe(id)).toMatchObject({ model, created });
});

test("[L4] an answer is also stored when that is preferred, and only then", async () => {
  server.upstream.reply(answersWell);
  const body = { messages, stream: true };
  const prefer = { prefer: "respond-async, Durable" };
  const stored = await server.client.post("/v1/chat/completions", body, prefer);
  const { text } = await readText(stored);
  expect(await (await server.client.watch(generationOf(stored))).text()).toBe(text);
  const direct = await server.client.post("/v1/chat/completions", body);
  await direct.text();
  expect(direct.headers.get("sluice-generation")).toBeNull();
});

test("[L4] one key and one body are one answer, also when they race; another body is refused", async () => {
  server.upstream.reply(answersWell);
  const headers = { "idempotency-key": "order-66" };
  const both = await Promise.all([
    server.client.start({}, headers),
    server.client.start({}, headers),
  ]);
  const texts = await Promise.all(both.map((response) => response.text()));
  expect(new Set(both.map(generationOf)).size).toBe(1);
  expect(new Set(texts).size).toBe(1);
  expect(texts[0]).toContain("[DONE]");
  const later = await server.client.start({}, headers);
  expect(await later.text()).toBe(texts[0]);
  expect(server.upstream.exchanges.length).toBe(1);
  const other = await server.client.start({ temperature: 1 }, headers);
  expect(other.status).toBe(409);
  expect(await other.json()).toMatchObject({ code: "idempotency_conflict" });
});

test("[L5] a failure before the first word is a status, one in the middle an event, both for good", async () => {
  server.upstream.reply(refuses(400, { error: { message: "no", type: "invalid_request_error" } }));
  const refused = await server.client.start({}, { "idempotency-key": "refused" });
  expect(refused.status).toBe(400);
  expect(await refused.json()).toMatchObject({ code: "upstream_rejected" });
  const repeated = await server.client.start({}, { "idempotency-key": "refused" });
  expect(repeated.status).toBe(400);
  await repeated.text();
  expect(server.upstream.exchanges.length).toBe(1);

  server.upstream.reply(plays([ROLE, chunk({ content: "half" })]));
  const cut = await readText(await server.client.start());
  expect(cut.events.at(-1)).toContain('"code":"upstream_truncated"');
  const id = generationOf(cut.response);
  expect(await (await server.client.watch(id)).text()).toBe(cut.text);
  expect(await server.client.describe(id)).toMatchObject({
    generation: { state: "failed", error: { code: "upstream_truncated" } },
    choices: [{ message: { content: "half" }, finish_reason: null }],
    usage: { estimated: true },
  });
});
