/** How many answers are written at once, against the running Worker: for a subject, and for an address. */
import { setImmediate } from "node:timers/promises";
import { sign } from "hono/jwt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRawClient, type RawClient } from "../support/raw-client.ts";
import { sendRequest } from "../support/send-request.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { EVERYTHING, now, SECRET } from "../support/tokens.ts";
import { until } from "../support/until.ts";

let worker: RunningWorker;
let addresses = 0;
let subjects = 0;

beforeAll(async () => {
  worker = await startWorker({
    AUTH_SECRET: SECRET,
    DEFAULT_ACCESS: JSON.stringify({ can: EVERYTHING }),
    ALLOWED_MODELS: "*",
    KEEPALIVE_MS: "50",
    CHAT_WHEN_ABANDONED: "cancel",
    MAX_RUNNING_GENERATIONS: "2",
    MAX_ADDRESS_RUNNING_GENERATIONS: "3",
    QUOTA_TOKENS_PER_DAY: "100000",
  });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

const newAddress = (): string => `198.51.100.${(addresses += 1)}`;

/** A subject nobody has seen before, calling from this address. */
async function newCaller(address: string) {
  const iat = now();
  const claims = { sub: `writer-${(subjects += 1)}`, iat, exp: iat + 600 };
  const headers = {
    host: "sluice.example",
    authorization: `Bearer ${await sign(claims, SECRET, "HS256")}`,
    "cf-connecting-ip": address,
    "content-type": "application/json",
  };
  const send = (path: string, body: object, more: Readonly<Record<string, string>> = {}) =>
    sendRequest({
      port: worker.port,
      method: "POST",
      path,
      headers: { ...headers, ...more },
      body: JSON.stringify(body),
    });
  /** Asks, and leaves the answer open. */
  const open = async (
    path: string,
    body: object,
    more: Readonly<Record<string, string>> = {},
  ): Promise<RawClient> => {
    const text = JSON.stringify(body);
    const all = { ...headers, ...more, "content-length": String(text.length) };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
    return await openRawClient(worker.port, head + text);
  };
  const ask = async (...request: Parameters<typeof open>): Promise<RawClient> => {
    const client = await open(...request);
    client.flow();
    await until("the answer's head", () => client.received().includes("\r\n\r\n"));
    return client;
  };
  /** Asks, and is gone so many turns of the event loop later. */
  const leave = async (path: string, body: object, turns: number): Promise<void> => {
    const client = await open(path, body, { "sluice-when-abandoned": "cancel" });
    for (let turn = 0; turn < turns; turn += 1) await setImmediate();
    client[Symbol.dispose]();
  };
  return { send, ask, leave };
}

const messages = [{ role: "user", content: "Hi" }];
const endless = { model: "demo-endless", messages, stream: true };
const short = { model: "demo", max_tokens: 3, messages, stream: true };
const statusOf = (client: RawClient): number => Number(client.received().slice(9, 12));
const generationOf = (client: RawClient): string =>
  /sluice-generation: (gen_\w+)/i.exec(client.received())?.[1] ?? "";

const COMPLETIONS = "/v1/chat/completions";
const DOORS: readonly (readonly [string, string, object])[] = [
  ["direct", COMPLETIONS, endless],
  ["stored", COMPLETIONS, { ...endless, store: true }],
  ["chat", "/api/chat", endless],
];

test.each(DOORS)(
  "[E2] a subject has as many answers at once as it may have, and no more: %s",
  async (_door, path, body) => {
    const { ask, send } = await newCaller(newAddress());
    const clients = await Promise.all(Array.from({ length: 6 }, () => ask(path, body)));
    const statuses = clients.map(statusOf).toSorted((a, b) => a - b);
    expect(statuses).toEqual([200, 200, 429, 429, 429, 429]);
    const refused = await send(path, body);
    expect(refused.body).toMatchObject({
      code: "too_many_generations",
      quota: "subject-generations",
    });
    expect(refused.headers["retry-after"]).toBe("5");
    expect(refused.headers["ratelimit-policy"]).toContain(
      '"subject-generations";q=2;qu="concurrent-requests"',
    );
    expect(refused.headers["ratelimit"]).toContain('"subject-generations";r=0;t=5');
    for (const client of clients) {
      const id = generationOf(client);
      if (statusOf(client) === 200 && path === COMPLETIONS && id !== "") {
        await send(`${COMPLETIONS}/${id}/cancel`, {});
      }
      client[Symbol.dispose]();
    }
    await until("room for another", async () => (await send(path, short)).status === 200);
  },
);

test("[E2] many subjects behind one address have as many as the address, whatever door they take", async () => {
  const address = newAddress();
  const held: RawClient[] = [];
  for (const [, path, body] of [...DOORS, ...DOORS]) {
    const { ask } = await newCaller(address);
    held.push(await ask(path, body));
  }
  expect(held.map(statusOf)).toEqual([200, 200, 200, 429, 429, 429]);
  const refused = await (await newCaller(address)).send(COMPLETIONS, endless);
  expect(refused.body).toMatchObject({
    code: "too_many_generations",
    quota: "address-generations",
  });
  expect(refused.headers["ratelimit"]).toContain('"address-generations";r=0;t=5');
  // Elsewhere there is room, and a refused subject has kept nothing of its own.
  expect((await (await newCaller(newAddress())).send(COMPLETIONS, short)).status).toBe(200);
  held[0]?.[Symbol.dispose]();
  const late = await newCaller(address);
  await until("room for another", async () => (await late.send(COMPLETIONS, short)).status === 200);
  for (const client of held) client[Symbol.dispose]();
});

test("[E2][I7] answers that end by themselves, fail or are refused by the provider give their place back", async () => {
  const { send } = await newCaller(newAddress());
  for (const store of [false, true]) {
    for (const model of ["demo", "demo-fail-before", "demo-fail-after", "demo-truncated"]) {
      for (let n = 0; n < 3; n += 1) {
        await until(`room for ${model}`, async () => {
          const { status } = await send(COMPLETIONS, { ...short, model, store });
          return status !== 429;
        });
      }
    }
  }
});

test("[E2][L4] who asks again for an answer takes no second place, and an answer of a chat takes that of the one before", async () => {
  const { ask, send } = await newCaller(newAddress());
  const key = { "idempotency-key": "the same" };
  using first = await ask(COMPLETIONS, endless, key);
  const parts = [{ type: "text", text: "Hi" }];
  const turn = { id: "chat", model: "demo-endless", messages: [{ role: "user", parts }] };
  using chat = await ask("/api/chat", turn);
  expect([first, chat].map(statusOf)).toEqual([200, 200]);
  // Both places are taken now.
  expect((await send(COMPLETIONS, endless)).status).toBe(429);
  using again = await ask(COMPLETIONS, endless, key);
  using next = await ask("/api/chat", turn);
  expect([again, next].map(statusOf)).toEqual([200, 200]);
  expect(generationOf(again)).toBe(generationOf(first));
  expect(generationOf(next)).not.toBe(generationOf(chat));
  expect((await send(COMPLETIONS, endless)).status).toBe(429);
  const conflict = await send(COMPLETIONS, { ...endless, temperature: 1 }, key);
  expect([conflict.status, conflict.body["code"]]).toEqual([409, "idempotency_conflict"]);
  expect((await send(COMPLETIONS, endless)).status).toBe(429);
  await send(`${COMPLETIONS}/${generationOf(first)}/cancel`, {});
  await until("room for another", async () => (await send(COMPLETIONS, short)).status === 200);
});

test("[E2][L4] who asks again finds the answer that is there, also when nothing is left for another", async () => {
  const { ask, send } = await newCaller(newAddress());
  const ended = { "idempotency-key": "ended" };
  const before = await send(COMPLETIONS, short, ended);
  const places = await Promise.all([ask(COMPLETIONS, endless), ask(COMPLETIONS, endless)]);
  expect(await send(COMPLETIONS, short, { "idempotency-key": "new" })).toMatchObject({
    status: 429,
    body: { quota: "subject-generations" },
  });
  const after = await send(COMPLETIONS, short, ended);
  expect([after.status, after.body]).toEqual([200, before.body]);
  const other = await send(COMPLETIONS, { ...short, temperature: 1 }, ended);
  expect(other.body).toMatchObject({ code: "idempotency_conflict" });
  for (const client of places) client[Symbol.dispose]();

  const running = { "idempotency-key": "running" };
  const all = { ...endless, max_tokens: 100_000 };
  await until("room for it", async () => (await send(COMPLETIONS, short)).status === 200);
  using first = await ask(COMPLETIONS, all, running);
  expect((await send(COMPLETIONS, short)).body).toMatchObject({ quota: "subject-tokens" });
  using again = await ask(COMPLETIONS, all, running);
  expect(statusOf(again)).toBe(200);
  expect(generationOf(again)).toBe(generationOf(first));
  await send(`${COMPLETIONS}/${generationOf(first)}/cancel`, {});
});

test.each(DOORS)(
  "[E2][I7] who leaves while being let in keeps no place: %s",
  async (_door, path, body) => {
    const { leave, send } = await newCaller(newAddress());
    for (let round = 0; round < 40; round += 1) await leave(path, body, 50 * round);
    await until("room for two", async () => {
      const both = await Promise.all([send(path, short), send(path, short)]);
      return both.every(({ status }) => status === 200);
    });
  },
);
