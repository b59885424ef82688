import { createParser, type EventSourceMessage } from "eventsource-parser";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeComment, encodeData, encodeEvent } from "../../../src/sse/encode.ts";

/** Text from the characters that could do harm, and a few that could be harmed. */
const hostileText = fc
  .array(
    fc.constantFrom("\r", "\n", "\r\n", "\0", ":", " ", "data", "id: 7", "\uFEFF", "é", "🚰", "a"),
  )
  .map((parts) => parts.join(""));
const safeField = hostileText.map((text) => text.replaceAll(/[\r\n\0]/g, ""));
const event = fc.record({
  id: fc.option(safeField, { nil: undefined }),
  event: fc.option(safeField, { nil: undefined }),
  data: hostileText,
});

/** Parses bytes that arrive in pieces of the given size. */
function parse(text: string, size: number): EventSourceMessage[] {
  const bytes = new TextEncoder().encode(text);
  const events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => events.push(message) });
  const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
  for (let at = 0; at < bytes.length; at += size) {
    parser.feed(decoder.decode(bytes.subarray(at, at + size), { stream: true }));
  }
  return events;
}

const lines = (text: string): string => text.replaceAll(/\r\n|\r/g, "\n");

describe("[S2] encodeEvent", () => {
  it("[S2] gives back what went in, whatever the pieces it arrives in", () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 4 }), (events) => {
        const text = events
          .map(({ id, event: name, data }) =>
            encodeEvent({
              data,
              ...(id === undefined ? {} : { id }),
              ...(name === undefined ? {} : { event: name }),
            }),
          )
          .join("");
        const length = new TextEncoder().encode(text).length;
        for (let size = 1; size <= Math.min(length, 40); size += 1) {
          const parsed = parse(text, size);
          expect(parsed.map(({ data }) => data)).toEqual(events.map(({ data }) => lines(data)));
          // An empty field is as good as none.
          expect(parsed.map(({ event: name }) => name ?? "")).toEqual(
            events.map(({ event: name }) => name ?? ""),
          );
          expect(parsed.map(({ id }) => id ?? "")).toEqual(events.map(({ id }) => id ?? ""));
        }
      }),
    );
  });

  it("[S2] every byte boundary of a long event with all fields", () => {
    const text = encodeEvent({ id: "e_1", event: "tick", retry: 1500, data: "é\n🚰\r\nid: 9\r" });
    const length = new TextEncoder().encode(text).length;
    for (let size = 1; size <= length; size += 1) {
      expect(parse(text, size)).toEqual([{ id: "e_1", event: "tick", data: "é\n🚰\nid: 9\n" }]);
    }
  });

  it("[S2] data cannot end its event or start a field", () => {
    expect(parse(encodeData("x\n\nevent: evil\ndata: y"), 1_000)).toEqual([
      { id: undefined, event: undefined, data: "x\n\nevent: evil\ndata: y" },
    ]);
  });

  it("[S2] refuses line breaks and NUL in id and event", () => {
    for (const character of ["\r", "\n", "\0"]) {
      expect(() => encodeEvent({ id: `a${character}b`, data: "" })).toThrow(RangeError);
      expect(() => encodeEvent({ event: `a${character}b`, data: "" })).toThrow(RangeError);
    }
    for (const retry of [-1, 1.5, Number.NaN]) {
      expect(() => encodeEvent({ retry, data: "" })).toThrow(RangeError);
    }
  });

  it("[S2] a comment is one comment", () => {
    expect(parse(encodeComment("a\n\ndata: x"), 3)).toEqual([]);
  });
});
