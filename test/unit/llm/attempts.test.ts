/** Owns the proof of what an attempt waits for and gives up on, with time in the test's hands. */
import { describe, expect, it } from "vitest";
import { completeAnswer, streamAnswer } from "../../../src/llm/answer.ts";
import { createUpstream, type Upstream } from "../../../src/llm/upstream.ts";
import type { SluiceError } from "../../../src/protocol/errors.ts";
import { AFTER_FINISH_MS, MAX_ERROR_BODY_MS, USAGE_MS } from "../../../src/protocol/limits.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { until } from "../../support/until.ts";
import { DONE, ROLE, STOP, USAGE, WHOLE_ANSWER, chunk } from "../../support/openai-events.ts";

const LIMITS = { firstTokenMs: 5_000, idleMs: 500, totalMs: 60_000, maxOutputBytes: 1_000_000 };
const STREAM = { model: "m", messages: [{ role: "user" }], stream: true } as const;
const WHOLE = { ...STREAM, stream: false } as const;

/** A provider whose answer a test writes by hand. */
class Provider {
  readonly upstream: Upstream;
  asked = 0;
  cancelled = false;
  #controller: ReadableByteStreamController | undefined;

  constructor(clock: FakeClock, name: string, init: ResponseInit | "silent" = {}) {
    this.upstream = createUpstream(
      name,
      { apiKey: "k", baseURL: "http://x.invalid", model: undefined },
      {
        clock,
        fetch: async (_input, request) => {
          this.asked += 1;
          if (init === "silent") return await untilAborted(request?.signal);
          return new Response(this.#body(), {
            headers: { "content-type": "text/event-stream" },
            ...init,
          });
        },
      },
    );
  }

  send(text: string): void {
    this.#controller?.enqueue(new TextEncoder().encode(text));
  }

  #body(): ReadableStream<Uint8Array> {
    return new ReadableStream({
      type: "bytes",
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.cancelled = true;
      },
    });
  }
}

async function untilAborted(signal: AbortSignal | null | undefined): Promise<Response> {
  return await new Promise((_resolve, reject) => {
    signal?.addEventListener("abort", () => {
      reject(new Error("aborted"));
    });
  });
}

/** What came of an answer, as soon as something has. */
interface Outcome {
  text: string;
  end: "complete" | SluiceError | undefined;
}

function ask(clock: FakeClock, providers: readonly Provider[], request: object = STREAM): Outcome {
  const outcome: Outcome = { text: "", end: undefined };
  const context = {
    signal: new AbortController().signal,
    clock,
    random: () => 0,
    upstreams: providers.map(({ upstream }) => upstream),
    limits: LIMITS,
  };
  const read = async (): Promise<void> => {
    if ("stream" in request && request.stream === false) {
      outcome.text = await completeAnswer(WHOLE, context);
      return;
    }
    for await (const batch of streamAnswer({ ...STREAM, ...request }, context)) {
      for (const { json } of batch) outcome.text += json;
    }
  };
  read().then(
    () => (outcome.end = "complete"),
    (error: SluiceError) => (outcome.end = error),
  );
  return outcome;
}

describe("[L5] the first token", () => {
  it("[L5] a role and comments do not stretch the wait for a first word", async () => {
    const clock = new FakeClock();
    const provider = new Provider(clock, "one");
    const outcome = ask(clock, [provider]);
    await clock.advance(LIMITS.firstTokenMs / 2);
    provider.send(ROLE);
    await clock.advance(LIMITS.firstTokenMs / 4);
    provider.send(": still here\n\n");
    await clock.advance(LIMITS.firstTokenMs / 4 - 1);
    expect(provider.cancelled).toBe(false);
    await clock.advance(1);
    expect(provider.cancelled).toBe(true);
    expect(outcome.text).toContain("assistant");
  });

  it("[L5] a model that thinks after its role is not taken for one that stopped", async () => {
    const clock = new FakeClock();
    const provider = new Provider(clock, "one");
    const outcome = ask(clock, [provider]);
    await clock.advance(1);
    provider.send(ROLE);
    await clock.advance(LIMITS.idleMs + 1);
    provider.send(chunk({ content: "thought" }) + STOP + DONE);
    await until("the thought", () => outcome.text.includes("thought"));
  });
});

describe("[L5] between tokens", () => {
  it("[L5] comments are no tokens", async () => {
    const clock = new FakeClock();
    const provider = new Provider(clock, "one");
    const outcome = ask(clock, [provider]);
    await clock.advance(1);
    provider.send(chunk({ content: "a" }));
    await clock.advance(LIMITS.idleMs - 1);
    provider.send(": still here\n\n");
    await clock.advance(1);
    expect(outcome.end).toMatchObject({ code: "upstream_timeout" });
  });
});

describe("[L5] the end", () => {
  it("[L5] [DONE] without a single event is no answer", async () => {
    const clock = new FakeClock();
    const [one, two] = [new Provider(clock, "one"), new Provider(clock, "two")];
    const outcome = ask(clock, [one, two]);
    await clock.advance(1);
    one.send(DONE);
    await clock.advance(1);
    two.send(chunk({ content: "a" }) + STOP + DONE);
    await clock.advance(1);
    expect(outcome.text).toContain('"a"');
  });

  it.each([
    ["without usage", {}, AFTER_FINISH_MS],
    ["with usage", { stream_options: { include_usage: true } }, USAGE_MS],
  ])("[L5] a provider that never says [DONE] is let go, %s", async (_name, options, patienceMs) => {
    const clock = new FakeClock();
    const provider = new Provider(clock, "one");
    const outcome = ask(clock, [provider], options);
    await clock.advance(1);
    provider.send(chunk({ content: "a" }) + STOP);
    await clock.advance(patienceMs - 1);
    expect(outcome.end).toBeUndefined();
    await clock.advance(1);
    expect(outcome.end).toBe("complete");
  });

  it("[L1] usage that comes late is not lost", async () => {
    const clock = new FakeClock();
    const provider = new Provider(clock, "one");
    const outcome = ask(clock, [provider], { stream_options: { include_usage: true } });
    await clock.advance(1);
    provider.send(chunk({ content: "a" }) + STOP);
    await clock.advance(USAGE_MS - 1);
    provider.send(USAGE + DONE);
    await until("the usage", () => outcome.text.includes("total_tokens"));
  });
});

describe("[L5] failures with a body", () => {
  it("[I5] the body of a failure that never ends costs a moment, not memory", async () => {
    const clock = new FakeClock();
    const one = new Provider(clock, "one", { status: 500 });
    const two = new Provider(clock, "two");
    ask(clock, [one, two]);
    await clock.advance(1);
    for (let i = 0; i < 100; i += 1) one.send("x".repeat(10_000));
    await clock.advance(1);
    expect(one.cancelled).toBe(true);
    expect(two.asked).toBe(1);
  });

  it("[L5] a status is believed although its body dawdles", async () => {
    const clock = new FakeClock();
    const one = new Provider(clock, "one", { status: 503 });
    const two = new Provider(clock, "two");
    ask(clock, [one, two]);
    await clock.advance(MAX_ERROR_BODY_MS - 1);
    expect(two.asked).toBe(0);
    await clock.advance(1);
    expect(two.asked).toBe(1);
  });

  it("[L5] a retry-after that is a date is held against the provider's clock", async () => {
    const clock = new FakeClock();
    const headers = {
      date: "Sun, 22 Nov 2026 10:00:00 GMT",
      "retry-after": "Sun, 22 Nov 2026 10:00:40 GMT",
    };
    const one = new Provider(clock, "one", { status: 429, headers });
    const outcome = ask(clock, [one]);
    await clock.advance(MAX_ERROR_BODY_MS);
    expect(outcome.end).toMatchObject({ code: "upstream_rate_limited", retryAfter: 40 });
    expect(one.asked).toBe(1);
  });
});

describe("[L1] answers that are not streamed", () => {
  it("[L5] leave time for the next provider when the first one hangs", async () => {
    const clock = new FakeClock();
    const one = new Provider(clock, "one", "silent");
    const two = new Provider(clock, "two", { headers: { "content-type": "application/json" } });
    ask(clock, [one, two], WHOLE);
    await clock.advance(LIMITS.totalMs / 2 - 1);
    expect(two.asked).toBe(0);
    await clock.advance(1);
    expect(two.asked).toBe(1);
  });

  it("[L5] that stop in the middle are given up", async () => {
    const clock = new FakeClock();
    const one = new Provider(clock, "one", { headers: { "content-type": "application/json" } });
    ask(clock, [one], WHOLE);
    await clock.advance(1);
    one.send('{"choices":');
    await clock.advance(LIMITS.idleMs);
    expect(one.cancelled).toBe(true);
  });

  it("[L1] although a stream was asked for become one", async () => {
    const clock = new FakeClock();
    const upstream = createUpstream(
      "whole",
      { apiKey: "k", baseURL: "http://x.invalid", model: undefined },
      { clock, fetch: async () => Response.json(WHOLE_ANSWER) },
    );
    const outcome = ask(clock, [{ upstream } as Provider]);
    await clock.advance(1);
    expect(outcome.end).toBe("complete");
    const [choice] = (
      JSON.parse(outcome.text) as { choices: { delta: object; finish_reason: string }[] }
    ).choices;
    expect(choice?.delta).toEqual(WHOLE_ANSWER.choices[0]?.message);
    expect(choice?.finish_reason).toBe("stop");
  });
});
