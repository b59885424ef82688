/**
 * Owns the bytes of Server-Sent Events. Refuses to know who sends them.
 * Format: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */

/** One event as a client will see it. */
export interface ServerSentEvent {
  /** The position the client sends back as `Last-Event-ID`. */
  readonly id?: string;
  /** The name for `addEventListener`; a client without one hears `message`. */
  readonly event?: string;
  /** The payload; its line breaks arrive as LF, whatever they were. */
  readonly data: string;
  /** Milliseconds the client shall wait before it connects again. */
  readonly retry?: number;
}

const LINE_BREAK = /\r\n|\r|\n/;
const UNSAFE_FIELD = /[\r\n\0]/;

/**
 * The text of one event. Data may hold anything; it cannot end its own event or start another field.
 *
 * @throws RangeError when `id` or `event` holds CR, LF or NUL (which no parser could give back), or
 *   `retry` is not a non-negative integer. Names are validated where they enter, so this is a bug.
 */
export function encodeEvent(event: ServerSentEvent): string {
  let text = "";
  if (event.id !== undefined) text += `id: ${checkField("id", event.id)}\n`;
  if (event.event !== undefined) text += `event: ${checkField("event", event.event)}\n`;
  if (event.retry !== undefined) {
    if (!Number.isSafeInteger(event.retry) || event.retry < 0) {
      throw new RangeError("retry is not a whole number of milliseconds");
    }
    text += `retry: ${event.retry}\n`;
  }
  return text + encodeData(event.data);
}

/** The text that tells a position without an event: clients send it back, and show nothing. */
export function encodeId(id: string): string {
  return `id: ${checkField("id", id)}\n\n`;
}

/** The text of an event that has data only, and by far the most frequent one. */
export function encodeData(data: string): string {
  if (!UNSAFE_FIELD.test(data)) return `data: ${data}\n\n`;
  return `data: ${data.split(LINE_BREAK).join("\ndata: ")}\n\n`;
}

/** The text of a comment, which every client ignores. */
export function encodeComment(text: string): string {
  return `: ${text.split(LINE_BREAK).join(" ")}\n\n`;
}

function checkField(field: string, value: string): string {
  if (UNSAFE_FIELD.test(value)) throw new RangeError(`${field} holds a line break or NUL`);
  return value;
}
