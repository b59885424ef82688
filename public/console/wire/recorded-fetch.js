/**
 * Owns a `fetch` that records what it carries and can be cut off. What it returns is read exactly as
 * without it. Refuses to know what the requests are for.
 */
import { createParser } from "eventsource-parser";
import { isNetworkOn, onCut } from "./network.js";
import { note, record } from "./records.js";

/** Statuses whose responses have no body. */
const BODILESS = new Set([101, 204, 205, 304]);

/** Bytes of an answer in one piece that are kept to be shown. */
const SHOWN_BYTES = 16_384;

/** @type {typeof fetch} */
export async function recordedFetch(input, init) {
  const url = new URL(input instanceof Request ? input.url : input, location.href);
  const channel = `${init?.method ?? "GET"} ${url.pathname}`;
  const sent = typeof init?.body === "string" ? init.body : "";
  record({
    direction: "out",
    channel,
    kind: init?.method ?? "GET",
    summary: `${url.pathname}${decodeURIComponent(url.search)} ${firstLine(sent)}`,
    position: positionIn(init),
    bytes: sent.length,
    detail: { url: url.href, body: parsed(sent) },
  });
  const controller = new AbortController();
  const release = onCut(() => controller.abort());
  const signals = [controller.signal, ...(init?.signal == null ? [] : [init.signal])];
  try {
    if (!isNetworkOn.value) throw new TypeError("The network is cut.");
    const response = await fetch(input, { ...init, signal: AbortSignal.any(signals) });
    const isLeft = () => init?.signal?.aborted === true;
    return watch(response, channel, controller.signal, isLeft, release);
  } catch (error) {
    release();
    // The application's own abort is its own; a cut looks like any broken network.
    if (init?.signal?.aborted) throw error;
    note(channel, "failed", error instanceof Error ? error.message : "No answer.");
    throw new TypeError("The network is cut, or the server is away.", { cause: error });
  }
}

/**
 * @param {Response} response
 * @param {string} channel
 * @param {AbortSignal} cut
 * @param {() => boolean} isLeft whether the client itself has given it up
 * @param {() => void} release
 */
function watch(response, channel, cut, isLeft, release) {
  const { status, statusText, headers, body } = response;
  const type = headers.get("content-type") ?? "";
  const show = type.includes("text/event-stream")
    ? showEvents(channel)
    : showWhole(channel, status, type);
  if (type.includes("text/event-stream")) {
    note(channel, `${status} open`, "An event stream begins.");
  }
  if (body === null || BODILESS.has(status)) {
    release();
    show.end();
    return response;
  }
  const reader = body.getReader();
  const watched = new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          release();
          show.end();
          controller.close();
        } else {
          show.chunk(value);
          controller.enqueue(value);
        }
      } catch (error) {
        release();
        if (isLeft()) note(channel, "left", "The client has closed it.");
        else note(channel, "broken", cut.aborted ? "The network is cut." : "The connection broke.");
        controller.error(new TypeError("The connection broke.", { cause: error }));
      }
    },
    async cancel(reason) {
      release();
      note(channel, "left", "The client has closed it.");
      await reader.cancel(reason).catch(() => {});
    },
  });
  return new Response(watched, { status, statusText, headers });
}

/** @param {string} channel */
function showEvents(channel) {
  const decoder = new TextDecoder();
  let bytes = 0;
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      record({
        direction: "in",
        channel,
        kind: event ?? "message",
        summary: gistOf(data),
        position: id,
        bytes,
        detail: parsed(data),
      });
      bytes = 0;
    },
    onComment: (comment) => note(channel, "comment", comment),
    onRetry: (ms) => note(channel, "retry", `Come back after ${ms} ms if this breaks.`),
  });
  return {
    /** @param {Uint8Array} chunk */
    chunk(chunk) {
      bytes += chunk.length;
      parser.feed(decoder.decode(chunk, { stream: true }));
    },
    end: () => note(channel, "end", "The event stream has ended."),
  };
}

/**
 * @param {string} channel
 * @param {number} status
 * @param {string} type
 */
function showWhole(channel, status, type) {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  return {
    /** @param {Uint8Array} chunk */
    chunk(chunk) {
      bytes += chunk.length;
      if (text.length < SHOWN_BYTES) text += decoder.decode(chunk, { stream: true });
    },
    end() {
      const summary = firstLine(text) || type;
      record({
        direction: "in",
        channel,
        kind: String(status),
        summary,
        bytes,
        detail: parsed(text),
      });
    },
  };
}

/** What is new in an event: of a piece of an answer its text, of all others everything. @param {string} data */
function gistOf(data) {
  const choice = parsed(data)?.choices?.[0];
  if (choice === undefined) return data;
  const { content, reasoning_content: reasoning } = choice.delta ?? {};
  return JSON.stringify(content ?? reasoning ?? choice.finish_reason ?? choice.delta);
}

/** @param {RequestInit | undefined} init */
function positionIn(init) {
  return new Headers(init?.headers).get("last-event-id") ?? undefined;
}

/** @param {string} text */
function firstLine(text) {
  return text.slice(0, 200).split("\n", 1)[0] ?? "";
}

/** @param {string} text @returns {any} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
