/** Clients that leave, in every way and at any point, and one that hardly reads. */
import { expect, test } from "vitest";
import { ROLE, TEXT, chunk } from "../support/openai-events.ts";
import { note } from "../support/note.ts";
import { until } from "../support/until.ts";
import { openRawClient, postRequest } from "../support/raw-client.ts";
import { asSimpleAnswer, readEventStream } from "../support/read-answer.ts";
import { serveGenerations } from "../support/serve-generations.ts";
import { chooseSeed, seededRandom } from "../support/seeded-random.ts";
import {
  answersWell,
  keepsTalking,
  neverAnswers,
  stallsAfter,
} from "../support/upstream-scripts.ts";

const model = "test-model";
const messages = [{ role: "user", content: "Hello?" }];
const SIMPLE = postRequest("/api/chat", { messages });
const OPENAI = postRequest("/v1/chat/completions", { model, messages, stream: true });
const WHOLE = postRequest("/v1/chat/completions", { model, messages });

// By default an answer of `/api/chat` is written on for a while, for those who come back.
const server = serveGenerations({ CHAT_WHEN_ABANDONED: "cancel" });

async function noSocketIsLeft(): Promise<void> {
  await until(
    "every socket of the provider to close",
    () => server.upstream.openSockets() === 0,
    server.upstream.openSockets,
  );
}

async function expectService(): Promise<void> {
  server.upstream.reply(answersWell);
  const response = await fetch(`${server.worker.origin}/api/chat`, {
    method: "POST",
    body: JSON.stringify({ messages }),
  });
  const seen = asSimpleAnswer(await readEventStream(response));
  expect(seen).toEqual({ content: TEXT, ends: ["[DONE]"] });
}

test("[L3][I7] a client that resets while nothing has been answered ends the provider's work at once", async () => {
  for (const request of [SIMPLE, OPENAI, WHOLE]) {
    server.upstream.reply(neverAnswers);
    using client = await openRawClient(server.worker.port, request);
    await until("the provider to be asked", () => server.upstream.exchanges.length === 1);
    client.socket.resetAndDestroy();
    await noSocketIsLeft();
  }
});

test("[L3][I7] a client that leaves a silent stream is noticed at the next keepalive at the latest", async () => {
  for (const leave of ["destroy", "resetAndDestroy"] as const) {
    server.upstream.reply(stallsAfter([ROLE, chunk({ content: "half" })]));
    using client = await openRawClient(server.worker.port, SIMPLE);
    client.flow();
    await until("some text", () => client.received().includes("half"));
    client.socket[leave]();
    await noSocketIsLeft();
  }
});

const ABORTS = 1_000;
const AT_ONCE = 25;
const BEHAVIOURS = ["never answers", "stalls", "talks"] as const;
const MOMENTS = ["at once", "when the provider is asked", "at the first byte", "later"] as const;
const MANNERS = ["destroy", "resetAndDestroy"] as const;

test(`[L3][I7] ${ABORTS} aborted requests leave no socket of the provider open`, async () => {
  const seed = chooseSeed();
  note(`seed ${seed}: repeat with SEED=${seed}`);
  const random = seededRandom(seed);
  const pick = <T>(list: readonly [T, ...T[]]): T =>
    list[Math.floor(random() * list.length)] ?? list[0];
  const scripts = {
    "never answers": neverAnswers,
    stalls: stallsAfter([ROLE, chunk({ content: "half" })]),
    talks: keepsTalking(chunk({ content: "word ".repeat(20) }), 10),
  };
  const asked = new Set<unknown>();
  server.upstream.reply(async (wire, request) => {
    const { seed: id, behaviour } = request.body;
    asked.add(id);
    await scripts[behaviour as keyof typeof scripts](wire, request);
  });
  async function abortOne(id: number): Promise<void> {
    const behaviour = pick(BEHAVIOURS);
    const moment = pick(MOMENTS);
    const manner = pick(MANNERS);
    const readsOn = random() < 0.7;
    const later = Math.floor(random() * 3_000);
    const path = pick(["/api/chat", "/v1/chat/completions"]);
    // Fields that Sluice does not know reach the provider as they are.
    const body = { messages, stream: true, seed: id, behaviour };
    using client = await openRawClient(server.worker.port, postRequest(path, body));
    if (readsOn || behaviour !== "talks") client.flow();
    if (moment !== "at once") await until("the provider to be asked", () => asked.has(id));
    if (behaviour !== "never answers" && client.isFlowing()) {
      if (moment === "at the first byte" || moment === "later") {
        const enough = moment === "later" && behaviour === "talks" ? later : 1;
        await until("bytes to arrive", () => client.receivedBytes() >= enough);
      }
      // Half-read: what arrives from here on stays in the kernel.
      if (random() < 0.3) client.socket.pause();
    }
    client.socket[manner]();
  }
  let started = 0;
  const lanes = Array.from({ length: AT_ONCE }, async () => {
    while (started < ABORTS) {
      started += 1;
      await abortOne(started);
    }
  });
  await Promise.all(lanes);
  note(`${asked.size} of ${ABORTS} had reached the provider`);
  expect(asked.size).toBeGreaterThanOrEqual(ABORTS / 2);
  await noSocketIsLeft();
  expect(server.upstream.openAnswers()).toBe(0);
  await expectService();
});
