/** What happens at the same time to one stored answer, and to very many of them. */
import { expect, test } from "vitest";
import { generationOf, idOf, readText, readUntil } from "../support/generation-client.ts";
import { note } from "../support/note.ts";
import { ANSWER, ROLE, STOP, chunk } from "../support/openai-events.ts";
import { openRawClient, postRequest } from "../support/raw-client.ts";
import type { Script } from "../support/scripted-upstream.ts";
import { serveGenerations } from "../support/serve-generations.ts";
import { until } from "../support/until.ts";
import { keepsTalking, neverAnswers, neverEnds, plays } from "../support/upstream-scripts.ts";

const server = serveGenerations({ MAX_OUTPUT_BYTES: String(4 * 1024 * 1024) });

const state = async (id: string): Promise<string> =>
  (await server.client.describe(id)).generation.state;

/** Says something and then waits for the test. */
function saysAndWaits(): { readonly script: Script; readonly goOn: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    goOn: resolve,
    script: async (wire) => {
      wire.head(200, { "content-type": "text/event-stream" });
      await wire.write(ROLE + chunk({ content: "first" }));
      await promise;
      await wire.write(chunk({ content: " last" }) + STOP);
      wire.end("data: [DONE]\n\n");
    },
  };
}

const ROUNDS = 20;

/** A stream without what a slow machine finds time to say in between. */
const eventsOf = (text: string): string => text.replaceAll(": keepalive\n\n", "");

test("[L4][I3] resume × completion: whoever comes at the end gets the whole end, once", async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const { script, goOn } = saysAndWaits();
    server.upstream.reply(script);
    const response = await server.client.start();
    const id = generationOf(response);
    const head = eventsOf(await readUntil(response, (text) => text.includes("first")));
    const cursor = idOf(head.split(/(?<=\n\n)/).at(-1) ?? "");
    const racing = Array.from(
      { length: 4 },
      async () => await (await server.client.watch(id, cursor)).text(),
    );
    // Half of the rounds give them the time to be served before the end comes.
    if (round % 2 === 0) await server.client.describe(id);
    goOn();
    const whole = eventsOf(await (await server.client.watch(id)).text());
    for (const rest of await Promise.all(racing)) expect(head + eventsOf(rest)).toBe(whole);
    expect(whole).toMatch(/data: \[DONE\]\n\n$/);
  }
});

test("[L3][I6] resume × stop: everyone sees the same one end", async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    server.upstream.reply(keepsTalking(chunk({ content: "word " }), 2));
    const response = await server.client.start();
    const id = generationOf(response);
    const first = readText(response);
    const others = Array.from(
      { length: 3 },
      async () => await readText(await server.client.watch(id)),
    );
    const stops = await Promise.all([server.client.stop(id), server.client.stop(id)]);
    expect(stops.map(({ generation }) => generation.state)).toEqual(["stopped", "stopped"]);
    const texts = await Promise.all([first, ...others]);
    for (const { text } of texts) {
      expect(text).toBe(texts[0]?.text);
      expect(text.match(/generation_stopped/g)?.length).toBe(1);
    }
  }
  await until("every socket to close", () => server.upstream.openSockets() === 0);
});

test("[L3] stopped before the first token, stopped twice, stopped when it had ended", async () => {
  server.upstream.reply(neverAnswers);
  const response = server.client.start({}, { "idempotency-key": "early" });
  await until("the provider to be asked", () => server.upstream.exchanges.length === 1);
  // Nothing was answered yet, so the only way to the answer's name is to ask again.
  const again = server.client.start({}, { "idempotency-key": "early" });
  const id = generationOf(await again);
  expect((await server.client.stop(id)).generation.state).toBe("stopped");
  await until("the provider's socket to close", () => server.upstream.openSockets() === 0);
  for (const one of [await response, await again]) {
    const { text, events } = await readText(one);
    expect(text).toContain("generation_stopped");
    // The end has its place also where nothing came before it: who has it need not come back.
    expect((await server.client.watch(id, idOf(events.at(-1) ?? ""))).status).toBe(204);
  }
  expect((await server.client.stop(id)).generation.state).toBe("stopped");

  server.upstream.reply(plays(ANSWER));
  const whole = await readText(await server.client.start());
  const finished = generationOf(whole.response);
  expect((await server.client.stop(finished)).generation.state).toBe("completed");
  expect(await (await server.client.watch(finished)).text()).toBe(whole.text);
});

test("[L4][B1] one viewer that reads nothing holds up neither the answer nor the other viewers", async () => {
  server.upstream.reply(neverEnds(chunk({ content: "word ".repeat(20) }), 50));
  const response = await server.client.start();
  const id = generationOf(response);
  using idle = await openRawClient(
    server.worker.port,
    `GET /v1/chat/completions/${id}/events HTTP/1.1\r\nhost: localhost\r\n\r\n`,
  );
  const [one, two] = await Promise.all([
    readText(response),
    server.client.watch(id).then(readText),
  ]);
  expect(one.text).toBe(two.text);
  expect(one.text.length).toBeGreaterThan(1_000_000);
  expect(one.events.at(-1)).toContain('"code":"output_limit"');
  // It may still read all of it, at any time.
  idle.flow();
  await until(
    "the idle viewer to have the end",
    () => idle.received().includes("output_limit") || idle.receivedBytes() > one.text.length,
  );
});

/** As many as there are to be; more with ABANDONED=1000. */
const ABANDONED = Number(process.env["ABANDONED"] ?? 200);
const AT_ONCE = 20;

test(`[L3][I7] ${ABANDONED} answers abandoned under cancel leave no socket of the provider open`, async () => {
  server.upstream.reply(keepsTalking(chunk({ content: "word " }), 20));
  const ids: string[] = [];
  const body = { messages: [{ role: "user", content: "x" }], stream: true, store: true };
  let started = 0;
  const lanes = Array.from({ length: AT_ONCE }, async () => {
    while (started < ABANDONED) {
      started += 1;
      using raw = await openRawClient(
        server.worker.port,
        postRequest("/v1/chat/completions", body, { "sluice-when-abandoned": "cancel" }),
      );
      raw.flow();
      await until("a word", () => raw.received().includes("word"));
      ids.push(/sluice-generation: (gen_[0-9a-f]+)/i.exec(raw.received())?.[1] ?? "");
      raw.socket.resetAndDestroy();
    }
  });
  await Promise.all(lanes);
  await until("every socket of the provider to close", () => server.upstream.openSockets() === 0);
  expect(server.upstream.openAnswers()).toBe(0);
  const left = new Set<string>();
  for (const id of ids) {
    const response = await server.client.get(`/v1/chat/completions/${id}/stats`);
    const { running, connections }: Record<string, number> = await response.json();
    left.add(`${await state(id)}, ${running} running, ${connections} watching`);
  }
  expect([...left]).toEqual(["stopped, 0 running, 0 watching"]);
  note(`${ids.length} started and abandoned`);
});

test("[L1][L4] storing an answer delays neither its first token nor its end", async () => {
  const tokens = 300;
  let endedAt = 0;
  server.upstream.reply(async (wire) => {
    wire.head(200, { "content-type": "text/event-stream" });
    const beganAt = performance.now();
    for (let token = 0; token < tokens; token += 1) {
      await until("its time", () => performance.now() - beganAt >= token * 20);
      await wire.write(chunk({ content: `word${token} ` }));
    }
    endedAt = performance.now();
    wire.end(`${STOP}data: [DONE]\n\n`);
  });
  const beganAt = performance.now();
  const arrivals: number[] = [];
  const response = await server.client.start();
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    const piece = decoder.decode(bytes, { stream: true });
    if (!piece.startsWith(":")) arrivals.push(performance.now() - beganAt);
    text += piece;
  }
  const total = performance.now() - beganAt;
  const late = performance.now() - endedAt;
  note(
    `first byte after ${arrivals[0]?.toFixed(1)} ms, ${arrivals.length} steps, ${total.toFixed(0)} ms for ${tokens * 20} ms`,
  );
  expect(text).toContain("word299");
  // Each token held up by a row of its own would add up to far more. How little it is, is for benchmarks to say.
  expect(late).toBeLessThan(2_000);
});
