import { decode, encode } from "@msgpack/msgpack";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeClientFrame } from "../../src/protocol/encode-client-frame.ts";
import { encodeServerFrame } from "../../src/protocol/encode-server-frame.ts";
import { readEntries } from "../../src/protocol/entries.ts";
import { FrameError } from "../../src/protocol/frame-error.ts";
import { type ClientFrame, type Raw, type ServerFrame } from "../../src/protocol/frames.ts";
import { jsonToRaw, rawToJson } from "../../src/protocol/json.ts";
import { MAX_DEPTH, MAX_FRAME_BYTES } from "../../src/protocol/limits.ts";
import { parseClientFrame } from "../../src/protocol/parse-client-frame.ts";
import { parseServerFrame } from "../../src/protocol/parse-server-frame.ts";
import { pack } from "../../src/protocol/pack.ts";
import { unpack, UnpackError } from "../../src/protocol/unpack.ts";
import { isUtf8 } from "../../src/protocol/utf8.ts";
import { checkRaw, decodeValue, encodeValue } from "../../src/protocol/value.ts";
import { WalkError } from "../../src/protocol/walk.ts";
import { bytesOf, vectors } from "../unit/protocol/vectors.ts";
import { clientFrame, serverFrame, value } from "./arbitrary-frames.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const runs = Number(process.env["FUZZ_RUNS"] ?? 3000);
function check<Inputs>(property: fc.IProperty<Inputs>, share = 1): void {
  fc.assert(property, { seed, numRuns: Math.ceil(runs * share) });
}

/** Generous: the slowest frames take 5 ms, a machine that does other things as well takes longer. */
const BOUND_MS = 500;
const MIB = 2 ** 20;

// The library writes -0 as the integer 0; no payload has a meaning for the difference.
expect.addEqualityTesters([(a, b) => (a === 0 && b === 0 ? true : undefined)]);

const frames = [...vectors.client, ...vectors.badClient]
  .map(({ hex }) => bytesOf(hex))
  .filter((bytes) => bytes.length < 2000);
const serverFrames = [...vectors.server, ...vectors.badServer].map(({ hex }) => bytesOf(hex));

/** First bytes that make a parser work: containers and strings of every size, with wild lengths. */
const heads = fc.constantFrom(
  ...(
    "80 8f 90 9f a0 bf c0 c1 c4ff c6ffffffff c70001 ca cb cf d3 d6ff d9ff daffff dbffffffff dc2710 " +
    "ddffffffff de2710 dfffffffff dd00000001 df00000001 a95f5f70726f746f5f5f ff 01 02 16"
  ).split(" "),
);
const structured = fc
  .array(fc.oneof(heads.map(bytesOf), fc.uint8Array({ maxLength: 6 })), { maxLength: 60 })
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));
const headed = fc
  .tuple(fc.constantFrom("9402a26131a463686174", "9201", "9205", "9503a26133", "93"), structured)
  .map(([head, rest]) => Uint8Array.of(...bytesOf(head), ...rest));

describe(`[W4] frames of strangers (FUZZ_SEED=${seed})`, () => {
  test("random bytes", () => {
    check(fc.property(fc.uint8Array({ maxLength: 200 }), survives));
  });

  test("headers with wild lengths", () => {
    check(fc.property(fc.oneof(structured, headed), survives));
  });

  test("valid frames with flipped bits, cuts, insertions and wild lengths", () => {
    check(fc.property(fc.constantFrom(...frames, ...serverFrames), mutations(), mutateAndParse), 4);
  });

  test("repeated pieces up to the largest frame", () => {
    const piece = fc.oneof(structured, fc.uint8Array({ minLength: 1, maxLength: 8 }));
    const big = fc.tuple(headed, piece, fc.nat(MAX_FRAME_BYTES)).map(([head, part, size]) => {
      const bytes = new Uint8Array(size);
      for (let at = 0; at < size; at += Math.max(part.length, 1)) {
        bytes.set(part.subarray(0, size - at), at);
      }
      bytes.set(head.subarray(0, size));
      return bytes;
    });
    check(fc.property(big, survives), 0.1);
  });

  test("memory stays flat under declared lengths and nesting", () => {
    const bombs = [
      `ddffffffff${"00".repeat(100)}`,
      "dc2710".repeat(20_000),
      "91".repeat(100_000),
      "dfffffffff".repeat(1000),
      `9402a26131a463686174${"dcffff".repeat(15)}${"90".repeat(65_000)}`,
      `9402a26131a463686174${"9f".repeat(20_000)}`,
      `9201de2710${"a161ddffffffff".repeat(1000)}`,
    ].map(bytesOf);
    const drop = (times: number): void => {
      for (let i = 0; i < times; i += 1) for (const bomb of bombs) survives(bomb);
    };
    // A process takes as much as it likes before it collects for the first time, and keeps that.
    drop(300);
    const before = process.memoryUsage().rss;
    drop(300);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
  });
});

describe(`codec (FUZZ_SEED=${seed})`, () => {
  test("[P6] what a client sends is what the server reads", () => {
    check(
      fc.property(clientFrame, (frame: ClientFrame) => {
        expect(parseClientFrame(encodeClientFrame(frame))).toEqual(frame);
      }),
    );
  });

  test("[P13] what a server sends is what the client reads", () => {
    check(
      fc.property(serverFrame, (frame: ServerFrame<Raw>) => {
        expect(parseServerFrame(encodeServerFrame(frame))).toEqual(decoded(frame));
      }),
    );
  });

  test("values come back, and a receiver that knows only MessagePack reads them", () => {
    check(
      fc.property(value, (original) => {
        const raw = encodeValue(original);
        expect(checkRaw(raw)).toEqual(raw);
        expect(decodeValue(raw)).toEqual(original);
        expect(() => decode(raw)).not.toThrow();
        expect(() => JSON.stringify(rawToJson(raw))).not.toThrow();
      }),
    );
  });

  test("[P91] JSON comes back as it was", () => {
    check(
      fc.property(fc.jsonValue({ maxDepth: MAX_DEPTH - 1, noUnicodeString: false }), (json) => {
        fc.pre(!JSON.stringify(json).includes("__proto__"));
        // JSON knows no negative zero.
        const plain: unknown = JSON.parse(JSON.stringify(json));
        expect(rawToJson(jsonToRaw(plain))).toEqual(plain);
      }),
    );
  });

  test("[P8][P9][P10][P11][P12] the walk accepts nothing that the library refuses", () => {
    const bytes = fc.oneof(
      structured,
      fc.tuple(value, mutations()).map(([v, edits]) => mutate(encode(v, OPTIONS), edits)),
    );
    check(
      fc.property(bytes, (candidate) => {
        let raw: Raw;
        try {
          raw = checkRaw(candidate);
        } catch (error) {
          expect(error).toBeInstanceOf(WalkError);
          return;
        }
        const again = encodeValue(decodeValue(raw));
        expect(decodeValue(again)).toEqual(decodeValue(raw));
      }),
      3,
    );
  });

  test("[P13] the clients' codec writes the bytes that the library writes", () => {
    check(
      fc.property(value, (original) => {
        const raw = encodeValue(original);
        expect(pack(original)).toEqual(raw);
        expect(unpack(raw, MAX_DEPTH)).toEqual(original);
      }),
    );
  });

  test("[P8][P9][P10][P11][P12] the clients' codec reads what the walk accepts, as the library does", () => {
    const bytes = fc.oneof(
      structured,
      fc.tuple(value, mutations()).map(([v, edits]) => mutate(encode(v, OPTIONS), edits)),
    );
    check(
      fc.property(bytes, (candidate) => {
        const [theirs, ours] = [
          attemptTo(WalkError, () => decodeValue(checkRaw(candidate))),
          attemptTo(UnpackError, () => unpack(candidate, MAX_DEPTH)),
        ];
        expect(ours).toEqual(theirs);
      }),
      3,
    );
  });

  test("[P9] UTF-8 is what the platform says it is", () => {
    const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc
        .array(fc.integer({ min: 0x80, max: 0xff }), { maxLength: 5 })
        .map((b) => Uint8Array.from(b)),
      fc.string({ unit: "binary", maxLength: 9 }).map((text) => new TextEncoder().encode(text)),
    );
    check(
      fc.property(bytes, (candidate) => {
        let platform = true;
        try {
          strict.decode(candidate);
        } catch {
          platform = false;
        }
        expect(isUtf8(candidate, 0, candidate.length)).toBe(platform);
      }),
      5,
    );
  });
});

const OPTIONS = { useBigInt64: true };

type Edit = readonly [
  kind: "flip" | "cut" | "insert" | "drop" | "head",
  at: number,
  by: Uint8Array,
];

function mutations(): fc.Arbitrary<readonly Edit[]> {
  const edit: fc.Arbitrary<Edit> = fc.tuple(
    fc.constantFrom("flip", "cut", "insert", "drop", "head"),
    fc.nat(2000),
    fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 4 }), heads.map(bytesOf)),
  );
  return fc.array(edit, { minLength: 1, maxLength: 4 });
}

function mutate(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  let result = [...bytes];
  for (const [kind, where, by] of edits) {
    const at = where % (result.length + 1);
    if (kind === "flip") result[at] = (result[at] ?? 0) ^ (1 << ((by[0] ?? 0) % 8));
    else if (kind === "cut") result = result.slice(0, at);
    else if (kind === "insert") result.splice(at, 0, ...by);
    else if (kind === "drop") result.splice(at, by.length);
    else result.splice(at, 1, ...by);
  }
  return Uint8Array.from(result);
}

function mutateAndParse(bytes: Uint8Array, edits: readonly Edit[]): void {
  survives(mutate(bytes, edits));
}

/** Whatever the bytes are: a frame, or a typed error that says what happens; soon, and no crash. */
function survives(bytes: Uint8Array): void {
  const start = performance.now();
  const frame = attempt(() => parseClientFrame(bytes));
  if (frame instanceof FrameError) {
    expect(frame.detail).not.toBe("");
    if (frame.close === undefined && frame.id === undefined) {
      expect(["bad_payload", "state_too_large"]).toContain(frame.code);
    }
  } else if (frame.kind === "publish" || frame.kind === "direct") {
    // What a server accepts, a client can read.
    const entry = { sender: "m", at: 1, event: frame.event, payload: frame.payload, id: frame.id };
    const wire = encodeServerFrame({ kind: "deliver", first: 1, entries: [entry] });
    expect(parseServerFrame(wire)).toMatchObject({ kind: "deliver" });
    expect(JSON.stringify(rawToJson(frame.payload)).length).toBeGreaterThan(0);
  }
  try {
    parseServerFrame(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(UnpackError);
  }
  try {
    for (const entry of readEntries(bytes)) expect(entry.payload.length).toBeGreaterThan(0);
  } catch (error) {
    expect(error).toBeInstanceOf(WalkError);
  }
  expect(performance.now() - start).toBeLessThan(BOUND_MS);
}

function attempt<Frame>(parse: () => Frame): Frame | FrameError {
  try {
    return parse();
  } catch (error) {
    if (error instanceof FrameError) return error;
    throw error;
  }
}

/** What was read, in a list; an empty one where it was refused by an error of the kind. */
function attemptTo(kind: typeof WalkError | typeof UnpackError, read: () => unknown): unknown[] {
  try {
    return [read()];
  } catch (error) {
    expect(error).toBeInstanceOf(kind);
    return [];
  }
}

function decoded(frame: ServerFrame<Raw>): unknown {
  switch (frame.kind) {
    case "deliver":
    case "latest":
    case "mail":
      return {
        ...frame,
        entries: frame.entries.map((entry) => ({ ...entry, payload: decodeValue(entry.payload) })),
      };
    case "welcome": {
      const { presence } = frame;
      return { ...frame, presence: { ...presence, members: presence.members.map(withState) } };
    }
    case "presenceDiff":
      return { ...frame, here: frame.here.map(withState) };
    case "published":
    case "error":
    case "gap":
    case "end":
    case "renewed":
      return frame;
  }
}

function withState({ member, state }: { member: string; state: Raw }): unknown {
  return { member, state: decodeValue(state) };
}
