/** Answers that have ended and are asked for again: from the beginning, or from where they broke off. */
import { expect, test } from "vitest";
import { generationOf, idOf, readText } from "../support/generation-client.ts";
import { DONE, ROLE, STOP, TOOL_CALL, chunk } from "../support/openai-events.ts";
import { serveGenerations } from "../support/serve-generations.ts";
import { answersWell, plays } from "../support/upstream-scripts.ts";

const server = serveGenerations({ MAX_TOKENS: "100" });

const goOn = (id: string, body: object = {}): Promise<Response> =>
  server.client.post(`/v1/chat/completions/${id}/continue`, body);

const half = plays([ROLE, chunk({ reasoning_content: "Hm 🤔" }), chunk({ content: "Grüße aus" })]);

test("[L4] an answer can be asked again, and both say so", async () => {
  server.upstream.reply(half, plays([ROLE, STOP, DONE]));
  const id = generationOf((await readText(await server.client.start())).response);
  const again = await readText(await server.client.post(`/v1/chat/completions/${id}/restart`, {}));
  const next = generationOf(again.response);
  expect(next).not.toBe(id);
  expect(again.events.at(-1)).toContain("[DONE]");
  expect((await server.client.describe(next)).generation).toMatchObject({
    state: "completed",
    follows: id,
    continues_after: null,
  });
  expect((await server.client.describe(id)).generation.followed_by).toBe(next);
});

test("[L4][L5] the provider is asked to go on with the text so far, as often as it breaks off", async () => {
  server.upstream.reply(
    half,
    plays([chunk({ content: " 東京" })]),
    plays([chunk({ content: "." }), STOP, DONE]),
  );
  const first = generationOf((await readText(await server.client.start())).response);
  const marks = { prefix: true, continue_final_message: true };
  const second = await readText(await goOn(first, marks));
  expect(second.events.at(-1)).toContain("upstream_truncated");
  const third = await readText(await goOn(generationOf(second.response), marks));
  expect(third.events.at(-1)).toContain("[DONE]");
  const question = { role: "user", content: "Hello?" };
  const [, ...asked] = server.upstream.exchanges.map(({ body }) => body);
  expect(asked).toMatchObject(
    ["Grüße aus", "Grüße aus 東京"].map((content) => ({
      messages: [question, { role: "assistant", content, prefix: true }],
      continue_final_message: true,
      max_completion_tokens: 100,
    })),
  );
  expect(asked[0]).not.toHaveProperty("prefix");
  const whole = await server.client.describe(generationOf(third.response));
  expect(whole).toMatchObject({
    choices: [
      {
        message: { content: "Grüße aus 東京.", reasoning_content: "Hm 🤔" },
        finish_reason: "stop",
      },
    ],
    generation: { follows: generationOf(second.response) },
  });
  // Where the new text begins can be told by the ids, and read on from.
  const { continues_after: boundary } = whole.generation;
  const at = third.events.findIndex((event) => idOf(event) === boundary);
  const rest = await readText(await server.client.watch(whole.id, boundary ?? ""));
  expect(rest.text).toBe(third.events.slice(at + 1).join(""));
  expect(rest.events[0]).toContain('"content":"."');
  // Two have said it, at two times; it is one answer.
  const created = third.events.flatMap((event) => /"created":(\d+)/.exec(event)?.[1] ?? []);
  expect([created.length > 4, new Set(created)]).toEqual([true, new Set([String(whole.created)])]);
});

test("[L5] only what has text and is not over can be gone on with, within the operator's limits", async () => {
  server.upstream.reply(
    answersWell,
    plays([ROLE, chunk({ reasoning_content: "Hm" })]),
    plays(TOOL_CALL.slice(0, -2)),
    half,
    plays([ROLE, chunk({ content: "cut" }), chunk({}, "length"), DONE]),
    plays([chunk({ content: " off" }), STOP, DONE]),
  );
  for (const why of ["complete", "no text", "tools"]) {
    const { response } = await readText(await server.client.start());
    const refused = await goOn(generationOf(response));
    expect(refused.status).toBe(409);
    const problem: { code: string; detail: string } = await refused.json();
    expect(problem.code).toBe("generation_not_continuable");
    expect(problem.detail).toContain(why);
  }
  const broken = generationOf((await readText(await server.client.start())).response);
  for (const [fields, code] of [
    [{ max_tokens: 1_000 }, "too_many_tokens"],
    [{ model: "another" }, "model_not_allowed"],
    [[], "invalid_request"],
  ] as const) {
    const refused = await goOn(broken, fields);
    expect(await refused.json()).toMatchObject({ code });
  }
  const long = generationOf((await readText(await server.client.start())).response);
  const longer = await readText(await goOn(long, { max_tokens: 50 }));
  const last = server.upstream.exchanges.at(-1)?.body;
  expect(last).toMatchObject({ max_tokens: 50 });
  expect(last).not.toHaveProperty("max_completion_tokens");
  expect(
    (await server.client.describe(generationOf(longer.response))).choices[0]?.message.content,
  ).toBe("cut off");
  expect((await goOn(`gen_${"0".repeat(32)}`)).status).toBe(404);
});
