/** Owns the scenario of an answer over a bad network: asked for once, read in several goes, sometimes stopped. */
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { type Answer, type ChatDelta, createClient } from "../../src/client/index.ts";
import { chunk, DONE, ROLE, STOP, USAGE, WORDS } from "../support/openai-events.ts";
import type { Script } from "../support/scripted-upstream.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { ask, dawdle, openBadNetwork, type Server } from "./scene.ts";

/** Begins a question whose answer goes on until somebody stops it. */
const ENDLESS = "endless ";

/** Milliseconds between the pieces of such an answer, once it has said what it has to. */
const MORE_EVERY_MS = 5;

/** The provider: what it says follows from the question alone, so that tests know it. */
export const answersBySeed: Script = async (wire, { body }) => {
  const [message] = body["messages"] as readonly { readonly content: string }[];
  const question = message?.content ?? "";
  wire.head(200, { "content-type": "text/event-stream" });
  await wire.write(ROLE);
  for (const delta of piecesOf(question)) {
    if (!(await wire.write(chunk(delta)))) return;
    // Each piece gets a turn of its own.
    await new Promise(setImmediate);
  }
  while (question.startsWith(ENDLESS)) {
    if (!(await wire.write(chunk({ content: " more" })))) return;
    await pause(MORE_EVERY_MS);
  }
  for (const event of [STOP, USAGE, DONE]) await wire.write(event);
  wire.end();
};

type Piece = { readonly content: string } | { readonly reasoning_content: string };

function piecesOf(question: string): readonly Piece[] {
  const random = new SeededRandom(Number(/\d+$/.exec(question)?.[0]));
  const thoughts = Array.from({ length: random.between(0, 5) }, () => ({
    reasoning_content: random.pick(WORDS),
  }));
  const words = Array.from({ length: random.between(1, 40) }, () => ({
    content: random.pick(WORDS),
  }));
  return [...thoughts, ...words];
}

/** Asks and reads. @throws when what was read is not what the server has. */
export async function chat(server: Server, seed: number): Promise<void> {
  const random = new SeededRandom(seed * 1000);
  await using network = await openBadNetwork(server, seed * 1000 + 1);
  const isEndless = random.chance(0.2);
  const question = `${isEndless ? ENDLESS : ""}question ${seed}`;
  const request = { messages: [{ role: "user", content: question }] };
  const options = { idempotencyKey: `chaos-${seed}` };

  let client = createClient(network.options);
  let answer: Answer = client.chat(request, options);
  const deltas: ChatDelta[] = [];
  let isOver = false;
  let stopping: Promise<void> | undefined;
  while (!isOver) {
    isOver = true;
    for await (const delta of answer) {
      deltas.push(delta);
      await dawdle(random);
      if (isEndless && deltas.length > 45) stopping ??= stop(answer);
      if (!random.chance(0.04)) continue;
      isOver = false;
      break;
    }
    if (isOver || !random.chance(0.5)) continue;
    // The page is loaded again: it knows the answer's name and how far it has read, or asks as before.
    await stopping;
    const { id, position } = answer;
    client.close();
    client = createClient(network.options);
    answer =
      id === undefined
        ? client.chat(request, options)
        : client.resumeChat(id, position === undefined ? {} : { after: position });
  }
  await stopping;
  const { state, usage } = await answer.end;
  const { id } = answer;
  client.close();

  const record = (await ask(server, `/v1/chat/completions/${id}`)) as {
    readonly usage: unknown;
    readonly generation: { readonly state: string };
    readonly choices: readonly {
      readonly message: { readonly content: string; readonly reasoning_content?: string };
    }[];
  };
  expect(state).toBe(isEndless ? "stopped" : "completed");
  expect(record.generation.state).toBe(state);
  // What the provider did not say, the server estimates, if the client reaches it.
  if (!isEndless || usage !== undefined) expect(usage).toEqual(record.usage);
  const { content = "", reasoning_content: reasoning = "" } = record.choices[0]?.message ?? {};
  expect([joined(deltas, "text"), joined(deltas, "reasoning")]).toEqual([content, reasoning]);
  const expected = piecesOf(question).map((piece) =>
    "content" in piece
      ? { kind: "text", text: piece.content }
      : { kind: "reasoning", text: piece.reasoning_content },
  );
  expect(deltas.slice(0, expected.length)).toEqual(expected);
  if (!isEndless) expect(deltas).toHaveLength(expected.length);
}

/** Stops it, as often as it takes. */
async function stop(answer: Answer): Promise<void> {
  try {
    await answer.stop();
  } catch {
    await stop(answer);
  }
}

function joined(deltas: readonly ChatDelta[], kind: "text" | "reasoning"): string {
  return deltas.map((delta) => (delta.kind === kind ? delta.text : "")).join("");
}
