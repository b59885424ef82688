import { describe, expect, test } from "vitest";
import { encodeClientFrame } from "../../../src/protocol/encode-client-frame.ts";
import { encodeServerFrame } from "../../../src/protocol/encode-server-frame.ts";
import { FrameError } from "../../../src/protocol/frame-error.ts";
import type { ClientFrame, Raw, ServerFrame } from "../../../src/protocol/frames.ts";
import { isEventName, isMemberName, isMessageId, isRoomName } from "../../../src/protocol/names.ts";
import { parseClientFrame } from "../../../src/protocol/parse-client-frame.ts";
import { parseServerFrame } from "../../../src/protocol/parse-server-frame.ts";
import { formatPosition, parsePosition } from "../../../src/protocol/position.ts";
import { UnpackError } from "../../../src/protocol/unpack.ts";
import { decodeValue } from "../../../src/protocol/value.ts";
import { bytesOf, decodedFrame, encodedFrame, vectors } from "./vectors.ts";

describe("[W4] vectors: what clients send", () => {
  test.each(vectors.client)("$name", ({ hex, frame, shortest }) => {
    const bytes = bytesOf(hex);
    expect(decoded(parseClientFrame(bytes))).toEqual(decodedFrame(frame));
    if (shortest) expect(encodeClientFrame(encodedFrame(frame) as ClientFrame)).toEqual(bytes);
  });

  test.each(vectors.badClient)("refused: $name", ({ hex, code, close, id }) => {
    const error = refusalOf(() => parseClientFrame(bytesOf(hex)));
    expect({ code: error.code, close: error.close?.code ?? null, id: error.id ?? null }).toEqual({
      code,
      close,
      id,
    });
  });
});

describe("[W4] vectors: what servers send", () => {
  test.each(vectors.server)("$name", ({ hex, frame, shortest }) => {
    const bytes = bytesOf(hex);
    expect(parseServerFrame(bytes)).toEqual(decodedFrame(frame));
    if (shortest) {
      const raw = encodedFrame(frame) as ServerFrame<Raw>;
      expect(parseServerFrame(encodeServerFrame(raw))).toEqual(decodedFrame(frame));
      // A map's order is free, all else is not.
      if (raw.kind !== "welcome") expect(encodeServerFrame(raw)).toEqual(bytes);
    }
  });

  test.each(vectors.badServer)("refused: $name", ({ hex }) => {
    expect(() => parseServerFrame(bytesOf(hex))).toThrow(UnpackError);
  });
});

describe("vectors: names and positions", () => {
  const grammars = [
    ["[P14] room", isRoomName, vectors.names.room],
    ["[P14] member", isMemberName, vectors.names.room],
    ["[P15] event", isEventName, vectors.names.event],
    ["[P16] message id", isMessageId, vectors.names.id],
  ] as const;

  test.each(grammars)("%s", (_, accepts, { valid, invalid }) => {
    expect(valid.filter((name) => !accepts(name))).toEqual([]);
    expect(invalid.filter((name) => accepts(name))).toEqual([]);
  });

  test.each(vectors.positions.valid)("[P18] $text", ({ text, epoch, seq }) => {
    expect(parsePosition(text)).toEqual({ epoch, seq });
    expect(formatPosition({ epoch, seq })).toBe(text);
  });

  test.each(vectors.positions.invalid)("[P18] no position: %j", (text) => {
    expect(parsePosition(text)).toBeUndefined();
  });
});

function refusalOf(parse: () => unknown): FrameError {
  try {
    parse();
  } catch (error) {
    if (error instanceof FrameError) return error;
    throw error;
  }
  throw new Error("accepted");
}

function decoded(frame: ClientFrame): unknown {
  switch (frame.kind) {
    case "hello":
      return { ...frame, state: frame.state && decodeValue(frame.state) };
    case "publish":
    case "direct":
      return { ...frame, payload: decodeValue(frame.payload) };
    case "presence":
      return { ...frame, state: decodeValue(frame.state) };
    case "ack":
    case "leave":
    case "refresh":
      return frame;
  }
}
