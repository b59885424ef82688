/**
 * Owns the reading of an event stream over `fetch`. Refuses to know what events mean.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */

/**
 * Yields the events of a response body. Events and characters may be split over reads anywhere; a
 * last event without its blank line is dropped, because part of it may be missing.
 *
 * @param {ReadableStream<BufferSource>} body
 * @returns {AsyncGenerator<{ event: string, data: string }, void, undefined>}
 */
export async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let endedInCR = false;
  let event = "";
  /** @type {string[]} */
  let data = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      // A CR ends its line at once; the LF of a CRLF that was split comes with the next read.
      /** @type {string} */
      const text = endedInCR && value.startsWith("\n") ? value.slice(1) : value;
      endedInCR = text.endsWith("\r");
      const lines = (rest + text).split(/\r\n|\n|\r/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          if (data.length > 0) yield { event: event || "message", data: data.join("\n") };
          event = "";
          data = [];
          continue;
        }
        // `s`: U+2028 and U+2029 end lines in JavaScript's eyes only.
        const [, field, content] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
        if (field === "event") event = content ?? "";
        else if (field === "data") data.push(content ?? "");
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
