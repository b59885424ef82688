/** Owns the ways in which a scripted provider answers, well or badly. Refuses to know who asks. */
import { setTimeout as pause } from "node:timers/promises";
import { ANSWER, chunk, ROLE, WHOLE_ANSWER } from "./openai-events.ts";
import type { Script } from "./scripted-upstream.ts";

const EVENT_STREAM = { "content-type": "text/event-stream" };

/** How a response can stop: properly, in the middle of the chunked body, or with a reset. */
export type Ending = "end" | "cut" | "reset";

/** Sends these events in one write each and then stops in this way. */
export function plays(events: readonly string[], ending: Ending = "end"): Script {
  return async (wire) => {
    wire.head(200, EVENT_STREAM);
    for (const event of events) await wire.write(event);
    wire[ending]();
  };
}

/** A complete, proper answer, streamed or whole as it was asked for. */
export const answersWell: Script = async (wire, request) => {
  if (request.body["stream"] === true) {
    await plays(ANSWER)(wire, request);
    return;
  }
  wire.head(200, { "content-type": "application/json" });
  wire.end(JSON.stringify(WHOLE_ANSWER));
};

/** Closes the connection without a word. */
export function diesBeforeHeaders(ending: Exclude<Ending, "end"> = "cut"): Script {
  return (wire) => {
    wire[ending]();
  };
}

/** Writes byte after byte. */
export function splitsEveryByte(events: readonly string[]): Script {
  return async (wire) => {
    wire.head(200, EVENT_STREAM);
    for (const byte of new TextEncoder().encode(events.join(""))) {
      await wire.write(Uint8Array.of(byte));
      // The next byte gets a turn, and so a packet, of its own.
      await new Promise(setImmediate);
    }
    wire.end();
  };
}

/** Sends these events and then nothing more, until the caller gives up. */
export function stallsAfter(events: readonly string[]): Script {
  return async (wire) => {
    wire.head(200, EVENT_STREAM);
    for (const event of events) await wire.write(event);
    await wire.closed;
  };
}

/** Accepts the request and never answers. */
export const neverAnswers: Script = async (wire) => {
  await wire.closed;
};

/** Sends `event` over and over as fast as the caller reads, so many in one write, for ever. */
export function neverEnds(event: string, together = 1): Script {
  const block = new TextEncoder().encode(event.repeat(together));
  return async (wire) => {
    wire.head(200, EVENT_STREAM);
    while (await wire.write(block)) {
      // The caller's other connections get a turn.
      await new Promise(setImmediate);
    }
  };
}

/** Sends `event` every so many milliseconds, for ever, as a model does. */
export function keepsTalking(event: string, everyMs: number): Script {
  return async (wire) => {
    wire.head(200, EVENT_STREAM);
    while (await wire.write(event)) await pause(everyMs);
  };
}

/** Answers with this status, these headers and this body. */
export function refuses(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Script {
  return (wire) => {
    const isText = typeof body === "string";
    wire.head(status, { "content-type": isText ? "text/html" : "application/json", ...headers });
    wire.end(isText ? body : JSON.stringify(body));
  };
}

/** An answer whose parts wait, each for its gate: `part 0 part 1 … end`. */
export function answerBehind(gates: readonly { readonly promise: Promise<void> }[]): Script {
  return async (wire) => {
    wire.head(200, EVENT_STREAM);
    await wire.write(ROLE + chunk({ content: "part 0 " }));
    for (const [index, { promise }] of gates.entries()) {
      await promise;
      await wire.write(chunk({ content: `part ${index + 1} ` }));
    }
    await wire.write(chunk({ content: "end" }, "stop"));
    wire.end("data: [DONE]\n\n");
  };
}
