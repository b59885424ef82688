/**
 * Owns the conversation with the server: one question in, the parts of the answer out, and exactly
 * one end. Refuses to know the page.
 */
import { readEvents } from "./sse.js";

/**
 * @typedef {{ role: "user" | "assistant", content: string }} Message
 * @typedef {{ kind: "text" | "reasoning" | "finish", text: string }} Part
 */

/** What went wrong, with a code to look up. */
export class AnswerError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * Asks, and yields the answer in parts. Returning normally means that it is complete.
 *
 * @param {{ messages: readonly Message[], model: string, token: string, signal: AbortSignal }} question
 * @returns {AsyncGenerator<Part, void, undefined>}
 * @throws {AnswerError} for everything else, unless the signal aborted.
 */
export async function* ask({ messages, model, token, signal }) {
  /** @type {Record<string, string>} */
  const authorization = token === "" ? {} : { authorization: `Bearer ${token}` };
  const response = await request("/api/chat", {
    method: "POST",
    headers: { "content-type": "application/json", ...authorization },
    body: JSON.stringify({ messages, ...(model === "" ? {} : { model }) }),
    signal,
  });
  if (!response.ok || response.body === null) throw await readProblem(response);
  const generation = response.headers.get("sluice-generation");
  // An answer survives its reader: who presses Stop wants it to end.
  const stop = () => {
    void fetch(`/v1/chat/completions/${generation}/cancel`, {
      method: "POST",
      headers: authorization,
      keepalive: true,
    });
  };
  if (generation !== null) signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const { event, data } of readEvents(response.body)) {
      if (data === "[DONE]") return;
      const value = JSON.parse(data);
      if (event === "error") throw new AnswerError(value.code, value.message);
      if (event === "reasoning") yield { kind: "reasoning", text: value.reasoning };
      else if (event === "finish") yield { kind: "finish", text: value.reason };
      else if (event === "message") yield { kind: "text", text: value.content };
    }
  } catch (error) {
    if (signal.aborted || error instanceof AnswerError) throw error;
    throw new AnswerError(
      "connection_lost",
      "The connection was lost before the answer was complete.",
    );
  } finally {
    signal.removeEventListener("abort", stop);
  }
  throw new AnswerError(
    "connection_lost",
    "The answer was cut off: the stream ended before it did.",
  );
}

/**
 * Which kind of model answers here; "unknown" when the server cannot say.
 *
 * @returns {Promise<"demo" | "configured" | "unknown">}
 */
export async function askUpstream() {
  try {
    const response = await fetch("/healthz");
    return response.ok ? (await response.json()).upstream : "unknown";
  } catch {
    return "unknown";
  }
}

/**
 * @param {string} address
 * @param {RequestInit} init
 */
async function request(address, init) {
  try {
    return await fetch(address, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new AnswerError("network", "The server could not be reached.");
  }
}

/** @param {Response} response */
async function readProblem(response) {
  try {
    const { code, detail } = await response.json();
    return new AnswerError(code, detail);
  } catch {
    return new AnswerError(`http_${response.status}`, "The server answered with an error.");
  }
}
