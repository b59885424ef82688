/** Owns the suite's cases about answers. */
import type { ChatDelta, ChatRequest } from "../../src/client/index.ts";
import { type Case, errorOf, expectSame, expectThat } from "./suite.ts";

const ask = (model?: string): ChatRequest => ({
  messages: [{ role: "user", content: "What is Sluice?" }],
  ...(model === undefined ? {} : { model }),
});

const textOf = (delta: ChatDelta): string => (delta.kind === "text" ? delta.text : "");

export const answerCases: readonly Case[] = [
  {
    title: "[L1][I6] an answer comes in pieces, and ends with what it cost",
    async run({ connect }) {
      const client = connect();
      const answer = client.chat(ask());
      let text = "";
      for await (const delta of answer) text += textOf(delta);
      const { state, usage, finishReason } = await answer.end;
      expectSame([state, finishReason, answer.state.get().kind], ["completed", "stop", "closed"]);
      expectThat((usage?.completion_tokens ?? 0) > 0, "tokens are counted");
      const again = await client.resumeChat(answer.id ?? "").whole();
      expectSame([again.text, again.state], [text, "completed"]);
      // Who has it all already is told how it ended by the record.
      const rest = await client
        .resumeChat(answer.id ?? "", { after: answer.position ?? "" })
        .whole();
      expectSame([rest.text, rest.state, rest.usage], ["", "completed", usage]);
    },
  },
  {
    title: "[L4] an answer whose connection breaks again and again is read on, to the letter",
    async run({ connect, brokenUrl, cut }) {
      const answer = connect({ url: brokenUrl }).chat(ask("demo-reasoning"));
      let text = "";
      let count = 0;
      for await (const delta of answer) {
        text += textOf(delta);
        count += 1;
        if (count % 20 === 0 && count <= 60) await cut();
      }
      const whole = await connect()
        .resumeChat(answer.id ?? "")
        .whole();
      expectSame([text, (await answer.end).state], [whole.text, "completed"]);
      expectThat(whole.reasoning !== "", "the model thought aloud");
    },
  },
  {
    title: "[L4] a page that comes back reads on where the last one was",
    async run({ connect }) {
      const first = connect().chat(ask());
      let text = "";
      for await (const delta of first) {
        text += textOf(delta);
        if (text.length > 60) break;
      }
      expectSame(first.state.get().kind, "idle");
      const second = connect().resumeChat(first.id ?? "", { after: first.position ?? "" });
      const { text: rest, state } = await second.whole();
      const whole = await connect()
        .resumeChat(first.id ?? "")
        .whole();
      expectSame([text + rest, state], [whole.text, "completed"]);
    },
  },
  {
    title: "[L3][I6] stopping ends the answer for everyone",
    async run({ connect }) {
      const client = connect();
      const answer = client.chat(ask("demo-endless"));
      let count = 0;
      for await (const _ of answer) {
        count += 1;
        if (count === 10) await answer.stop();
      }
      const { state, usage } = await answer.end;
      expectSame([state, usage?.estimated], ["stopped", true]);
      expectSame(
        (
          await connect()
            .resumeChat(answer.id ?? "")
            .whole()
        ).state,
        "stopped",
      );
    },
  },
  {
    title: "[L5] a failed answer throws, after all that there is of it",
    async run({ connect }) {
      const expected = {
        "demo-fail-after": "upstream_unavailable",
        "demo-fail-before": "upstream_unavailable",
        "demo-truncated": "upstream_truncated",
      };
      for (const [model, code] of Object.entries(expected)) {
        const answer = connect().chat(ask(model));
        const reading = (async () => {
          for await (const _ of answer);
        })();
        expectSame((await errorOf(reading)).code, code);
        const { state, error } = await answer.end;
        expectSame([state, error?.code], ["failed", code]);
      }
    },
  },
  {
    title: "[L1] calls of tools are put together",
    async run({ connect }) {
      const tool = {
        type: "function",
        function: {
          name: "get_weather",
          parameters: { type: "object", properties: { city: { type: "string" } } },
        },
      };
      const { toolCalls } = await connect()
        .chat({ ...ask("demo-tools"), tools: [tool] })
        .whole();
      expectSame(
        toolCalls.map(({ name }) => name),
        ["get_weather"],
      );
      expectThat(
        typeof JSON.parse(toolCalls[0]?.arguments ?? "") === "object",
        "arguments are JSON",
      );
    },
  },
  {
    title: "[L4] asked again under the same key it is the same answer",
    async run({ connect, name }) {
      const [one, other] = [0, 1].map(() => connect().chat(ask(), { idempotencyKey: name }));
      const [first, second] = await Promise.all([one?.whole(), other?.whole()]);
      expectSame([first?.text, one?.id], [second?.text, other?.id]);
    },
  },
  {
    title: "[I7] leaving for good tells nothing of the end",
    async run({ connect }) {
      const answer = connect().chat(ask("demo-slow"));
      for await (const _ of answer) answer.close();
      expectSame((await answer.end).state, "closed");
      await connect()
        .resumeChat(answer.id ?? "")
        .stop();
    },
  },
];
