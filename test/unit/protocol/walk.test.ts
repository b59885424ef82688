import { describe, expect, test } from "vitest";
import { FrameError } from "../../../src/protocol/frame-error.ts";
import { MAX_FRAME_BYTES, MAX_MESSAGE_BYTES } from "../../../src/protocol/limits.ts";
import { encodeClientFrame } from "../../../src/protocol/encode-client-frame.ts";
import { parseClientFrame } from "../../../src/protocol/parse-client-frame.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { WalkError, type WalkFault, walkValue } from "../../../src/protocol/walk.ts";
import { fromHex } from "./hex.ts";

const CAPS = { depth: 4, elements: 8 };

describe("[W4] the walk", () => {
  test.each<[string, string, WalkFault]>([
    ["nothing", "", "truncated"],
    ["a header cut off", "dd0000", "truncated"],
    ["a number cut off", "cf00", "truncated"],
    ["more declared than there is", "9c000000", "truncated"],
    ["0xc1", "c1", "reserved"],
    ["an extension", "c70001", "extension"],
    ["a level too many", "9191919190", "too_deep"],
    ["a value too many", "980000000000000000", "too_many"],
    ["a key that is nil", "81c000", "bad_key"],
    ["bad UTF-8 behind ASCII", "a361ff61", "not_utf8"],
  ])("refuses %s", (_, hex, fault) => {
    expect(faultOf(fromHex(hex))).toBe(fault);
  });

  test("ends where the value ends, whatever follows", () => {
    const bytes = fromHex("c0c19301a16181a16bc2ff");
    expect(walkValue(bytes, 2, CAPS)).toBe(bytes.length - 1);
    expect(walkValue(bytes, 0, CAPS)).toBe(1);
  });

  test("[P12] a declared length costs nothing before it is believed", () => {
    const bombs = ["ddffffffff", "dfffffffff", "dbffffffff", "c6ffffffff"].map((hex) =>
      fromHex(hex + "00".repeat(64)),
    );
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 1000; i += 1) for (const bomb of bombs) faultOf(bomb);
    expect(process.memoryUsage().rss - before).toBeLessThan(32 * 2 ** 20);
  });

  test("[P12] arrays that each declare 10,000 are refused at the first lie", () => {
    const bytes = fromHex("dc2710".repeat(8000));
    const caps = { depth: 16, elements: 16_384 };
    expect(faultOf(bytes, caps)).toBe("truncated");
  });

  test("[P4][P31] the largest message fits a frame, and one larger is refused by itself", () => {
    const publish = (bytes: number) =>
      encodeClientFrame({
        kind: "publish",
        id: "a1",
        event: "blob",
        payload: encodeValue(new Uint8Array(bytes)),
      });
    // Three bytes of header.
    expect(parseClientFrame(publish(MAX_MESSAGE_BYTES - 3)).kind).toBe("publish");
    for (const size of [MAX_MESSAGE_BYTES - 2, MAX_FRAME_BYTES - 100]) {
      expect(errorOf(publish(size))).toMatchObject({ code: "message_too_large", id: "a1" });
      expect(errorOf(publish(size)).close).toBeUndefined();
    }
  });

  test("[P4] a frame of 32 MiB is not looked at", () => {
    const error = errorOf(new Uint8Array(32 * 2 ** 20));
    expect(error).toMatchObject({ code: "frame_too_large", close: { code: 1009 } });
  });

  test("[P3] text is no frame", () => {
    expect(errorOf("hello")).toMatchObject({ code: "bad_frame", close: { code: 4400 } });
  });

  test("a frame may stand anywhere in a buffer", () => {
    const frame = encodeClientFrame({ kind: "ack", seq: 5, mail: 6 });
    const buffer = new Uint8Array(frame.length + 20).fill(0xc1);
    buffer.set(frame, 10);
    expect(parseClientFrame(buffer.subarray(10, 10 + frame.length))).toEqual({
      kind: "ack",
      seq: 5,
      mail: 6,
    });
    expect(parseClientFrame(frame.slice().buffer)).toEqual({ kind: "ack", seq: 5, mail: 6 });
  });
});

function faultOf(bytes: Uint8Array, caps = CAPS): WalkFault | undefined {
  try {
    walkValue(bytes, 0, caps);
  } catch (error) {
    if (error instanceof WalkError) return error.fault;
    throw error;
  }
  return undefined;
}

function errorOf(message: string | Uint8Array): FrameError {
  try {
    parseClientFrame(message);
  } catch (error) {
    if (error instanceof FrameError) return error;
    throw error;
  }
  throw new Error("accepted");
}
