import { describe, expect, test } from "vitest";
import { ask, chunksOf, dataOf, readStream, requireBody, send, textOf } from "../support/demo.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";

describe("demo upstream", () => {
  test("[L1] equal requests get equal bytes, another question another id and text", async () => {
    const clock = new FakeClock();
    const question = { model: "any", messages: ask("What is Sluice?") };
    const first = await readStream(clock, question);
    const clockOfSecond = new FakeClock();
    expect(await readStream(clockOfSecond, question)).toBe(first);

    const other = await readStream(clock, { model: "any", messages: ask("How do I deploy?") });
    expect(textOf(other)).not.toBe(textOf(first));
    expect(chunksOf(other)[0]?.id).not.toBe(chunksOf(first)[0]?.id);
  });

  test("[L1] the bytes are OpenAI's: role first, one finish, [DONE] last, `created` from the clock", async () => {
    const clock = new FakeClock(1_700_000_000_500);
    const stream = await readStream(clock, { model: "m", messages: ask("rooms?") });
    const chunks = chunksOf(stream);
    expect(dataOf(stream).at(-1)).toBe("[DONE]");
    expect(chunks[0]).toStrictEqual({
      id: chunks[0]?.id,
      object: "chat.completion.chunk",
      created: 1_700_000_000,
      model: "sluice-demo",
      choices: [
        {
          index: 0,
          delta: { role: "assistant", content: "", refusal: null },
          logprobs: null,
          finish_reason: null,
        },
      ],
    });
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    const reasons = chunks.map(({ choices }) => choices[0]?.finish_reason ?? null);
    expect(reasons.filter((reason) => reason !== null)).toEqual(["stop"]);
    expect(reasons.at(-1)).toBe("stop");
    expect(textOf(stream)).toMatch(/^Demo answer/);
  });

  test("[L1] usage is null in every chunk but the last, and absent when nobody asked", async () => {
    const clock = new FakeClock();
    const body = { model: "m", messages: ask("rooms?") };
    const chunks = chunksOf(
      await readStream(clock, { ...body, stream_options: { include_usage: true } }),
    );
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
    const tokens = chunks.filter(({ choices }) => (choices[0]?.delta.content ?? "") !== "").length;
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 2, completion_tokens: tokens, total_tokens: tokens + 2 },
    });
    const without = chunksOf(await readStream(clock, body));
    expect(without.some((chunk) => "usage" in chunk)).toBe(false);
  });

  test("[B1] the first token comes after 200 ms, then one every 20 ms, and none unasked", async () => {
    const clock = new FakeClock();
    const body = await requireBody(send(clock, { model: "m", stream: true, messages: ask("sse") }));
    await clock.advance(5_000);
    expect(clock.armed).toBe(0);

    const reader = body.getReader();
    let reads = 0;
    let reading = Promise.resolve();
    const readNext = (): void => {
      reading = reader.read().then(() => {
        reads += 1;
      });
    };
    readNext();
    await clock.advance(199);
    expect(reads).toBe(0);
    await clock.advance(1);
    expect(reads).toBe(1);
    // Nobody reads, so nobody speaks.
    await clock.advance(60_000);
    expect(clock.armed).toBe(0);
    readNext();
    await clock.advance(19);
    expect(reads).toBe(1);
    await clock.advance(1);
    expect(reads).toBe(2);
    await reading;
    await reader.cancel();
  });

  test("[B1] a reader with its own buffer gets the bytes and the end", async () => {
    const clock = new FakeClock();
    const body = await requireBody(send(clock, { stream: true, model: "m", messages: ask("sse") }));
    const reader = body.getReader({ mode: "byob" });
    let text = "";
    let ended = false;
    const reading = (async () => {
      const decoder = new TextDecoder();
      for (;;) {
        const { done, value } = await reader.read(new Uint8Array(7));
        if (done) break;
        text += decoder.decode(value, { stream: true });
      }
      ended = true;
    })();
    await clock.advanceUntil(() => ended);
    await reading;
    expect(dataOf(text).at(-1)).toBe("[DONE]");
    expect(text).toBe(await readStream(new FakeClock(), { model: "m", messages: ask("sse") }));
  });

  test.each(["abort", "cancel"] as const)(
    "[I7][L3] %s while waiting ends the answer and disarms its timer",
    async (how) => {
      const clock = new FakeClock();
      const controller = new AbortController();
      const body = await requireBody(
        send(clock, { model: "demo-endless", stream: true, messages: ask("x") }, controller.signal),
      );
      const reader = body.getReader();
      const first = reader.read();
      await clock.advance(200);
      await first;
      const second = reader.read().catch((error: unknown) => error);
      await settle();
      expect(clock.armed).toBe(1);
      const reason = new Error("enough");
      if (how === "abort") controller.abort(reason);
      else await reader.cancel(reason);
      await settle();
      expect(clock.armed).toBe(0);
      if (how === "abort") expect(await second).toBe(reason);
      else expect(await second).toMatchObject({ done: true });
    },
  );

  test("[I7][L3] aborting between two reads errors the stream, and before the start the request", async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const request = { model: "demo-endless", stream: true, messages: ask("x") };
    const reader = (await requireBody(send(clock, request, controller.signal))).getReader();
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(reader.read()).rejects.toBe(reason);
    await expect(send(clock, request, controller.signal)).rejects.toBe(reason);
    expect(clock.armed).toBe(0);
  });

  test("[I7] an answer that is not streamed can be aborted while it is made", async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const waiting = send(clock, { model: "demo-endless", messages: ask("x") }, controller.signal);
    const failure = waiting.catch((error: unknown) => error);
    await clock.advance(1_000);
    expect(clock.armed).toBe(1);
    controller.abort(new Error("enough"));
    expect(await failure).toMatchObject({ message: "enough" });
    expect(clock.armed).toBe(0);
  });

  test("[L1] a token limit ends the answer with `length`", async () => {
    const stream = await readStream(new FakeClock(), {
      model: "demo-endless",
      max_tokens: 5,
      messages: ask("x"),
    });
    expect(chunksOf(stream).at(-1)?.choices[0]?.finish_reason).toBe("length");
    expect(chunksOf(stream)).toHaveLength(1 + 5 + 1);
  });

  test("[E1] content given as parts is understood, and an unknown topic lists what can be asked", async () => {
    const clock = new FakeClock();
    const parts = [
      { type: "text", text: "How does hibern" },
      { type: "text", text: "ation work?" },
    ];
    expect(textOf(await readStream(clock, { model: "m", messages: ask(parts) }))).toContain(
      "leaves memory",
    );
    const help = textOf(await readStream(clock, { model: "m", messages: ask("Zzz?") }));
    expect(help).toContain("resuming after a reload");
    expect(help).toContain("demo-fail-after");
  });
});
