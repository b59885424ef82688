import { createParser, type EventSourceMessage } from "eventsource-parser";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeComment, encodeData, encodeEvent } from "../../../src/sse/encode.ts";

/** Text from the characters that could do harm, and a few that could be harmed. */
const hostileText = fc
  .array(
    fc.constantFrom(
      "\r",
      "\n",
      "\r\n",
      "\u2028",
      "\u2029",
      "\0",
      ":",
      " ",
      "data",
      "id: 7",
      "\uFEFF",
      "é",
      "🚰",
      "a",
    ),
  )
  .map((parts) => parts.join(""));
const safeField = hostileText.map((text) => text.replaceAll(/[\r\n\0]/g, ""));
const event = fc.record({
  id: fc.option(safeField, { nil: undefined }),
  event: fc.option(safeField, { nil: undefined }),
  data: hostileText,
});

/** Parses bytes that arrive in these pieces. */
function parsePieces(pieces: Iterable<Uint8Array>): EventSourceMessage[] {
  const events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => events.push(message) });
  const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
  for (const piece of pieces) parser.feed(decoder.decode(piece, { stream: true }));
  return events;
}

/** Parses bytes that arrive in pieces of the given size. */
function parse(text: string, size: number): EventSourceMessage[] {
  const bytes = new TextEncoder().encode(text);
  return parsePieces(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    ),
  );
}

/** What comes out when the bytes arrive one by one, or in two pieces, cut anywhere. */
function distinctResults(text: string): readonly EventSourceMessage[][] {
  const bytes = new TextEncoder().encode(text);
  const results = new Map<string, EventSourceMessage[]>();
  const keep = (events: EventSourceMessage[]): void => {
    results.set(JSON.stringify(events), events);
  };
  keep(parse(text, 1));
  for (let at = 0; at <= bytes.length; at += 1) {
    keep(parsePieces([bytes.subarray(0, at), bytes.subarray(at)]));
  }
  return [...results.values()];
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
        const [parsed = [], ...others] = distinctResults(text);
        expect(others).toEqual([]);
        expect(parsed.map(({ data }) => data)).toEqual(events.map(({ data }) => lines(data)));
        // An empty field is as good as none.
        expect(parsed.map(({ event: name }) => name ?? "")).toEqual(
          events.map(({ event: name }) => name ?? ""),
        );
        expect(parsed.map(({ id }) => id ?? "")).toEqual(events.map(({ id }) => id ?? ""));
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
