/** What strangers send. Whatever it is, it harms nobody but who sent it (W4). */
import { Encoder } from "@msgpack/msgpack";
import { afterAll, beforeAll, expect, test } from "vitest";
import { note } from "../support/note.ts";
import { until } from "../support/until.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { SpecClient } from "../support/spec-client.ts";
import { decodeSpecFrame, type SpecError } from "../support/spec-frames.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";

const ROOM = "open-house";
const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const MEBIBYTE = 1024 * 1024;
/** What a frame of 32 MiB costs while it arrives, and as much again for the allocator's taste. */
const MEMORY_MEBIBYTES = 64;
/** The table of SPEC.md; 1006 is a connection that ended without a word. */
const CLOSE_CODES = new Set([1000, 1009, 4400, 4408, 4410, 4429, 4503]);

let worker: RunningWorker;
const origin = (): string => worker.origin;
const encoder = new Encoder();
const encode = (value: unknown): Uint8Array => new Uint8Array(encoder.encode(value));
const HELLO = encode([1, { member: "stranger" }]);

beforeAll(async () => {
  worker = await startWorker({
    ROOM_CLASSES: JSON.stringify({ default: { joinsPerSecond: 10_000, messagesPerSecond: 50 } }),
  });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

/** Two members who talk all the time while `attack` goes on, and who must not notice it. */
async function undisturbed(attack: () => Promise<void>): Promise<void> {
  using ann = new SpecClient({ origin, room: ROOM, member: "ann" });
  using bob = new SpecClient({ origin, room: ROOM, member: "bob" });
  await until("the members to join", () => ann.isJoined && bob.isJoined);
  const over = new AbortController();
  let sent = 0;
  const talk = async (client: SpecClient): Promise<void> => {
    while (!over.signal.aborted) {
      sent += 1;
      await client.publish("talk", { n: sent, text: "x".repeat(100) });
      await new Promise((resolve) => {
        setTimeout(resolve, 25);
      });
    }
  };
  const talks = Promise.all([talk(ann), talk(bob)]);
  const before = worker.residentBytes();
  try {
    await attack();
  } finally {
    over.abort();
    await talks;
  }
  const own = (client: SpecClient): number =>
    client.messages.filter(({ event }) => event === "talk").length;
  await until("everything to arrive", () => own(ann) >= sent && own(bob) >= sent);
  const grown = (worker.residentBytes() - before) / MEBIBYTE;
  note(`${sent} messages meanwhile; the Worker's memory grew by ${grown.toFixed(1)} MiB`);
  expect(grown).toBeLessThan(MEMORY_MEBIBYTES);
  // Both joined at the same point or one message apart.
  const common = Math.min(ann.messages.length, bob.messages.length);
  expect(ann.messages.slice(-common)).toEqual(bob.messages.slice(-common));
  expect([own(ann), own(bob)]).toEqual([sent, sent]);
  expect(
    [ann, bob].flatMap(({ violations, closes, errors }) => [violations, closes, errors]),
  ).toEqual([[], [], [], [], [], []]);
}

/** What came of it: the error frames, and the code if the connection was closed. */
interface Fate {
  readonly errors: readonly SpecError[];
  readonly code: number | undefined;
}

/**
 * Sends these in a connection of its own, after a hello or not, and then something harmless. Comes
 * back when the server has closed the connection or answered the harmless thing.
 */
async function suffer(
  frames: readonly (Uint8Array | string)[],
  { greet = true }: { greet?: boolean } = {},
): Promise<Fate> {
  using socket = await RawSocket.open(worker.port, `/v1/rooms/${ROOM}`);
  expect(socket.handshake.status).toBe(101);
  if (greet) socket.sendBinary(HELLO);
  for (const frame of frames) {
    if (typeof frame === "string") socket.sendText(frame);
    else socket.sendBinary(frame);
  }
  socket.sendBinary(encode([2, "~last~", "harmless", null]));
  const errors = (): readonly SpecError[] =>
    framesOf(socket).flatMap((frame) => (frame.kind === "error" ? [frame] : []));
  const isAnswered = (): boolean =>
    framesOf(socket).some(
      (frame) =>
        (frame.kind === "published" && frame.answers.some(([id]) => id === "~last~")) ||
        (frame.kind === "error" && frame.id === "~last~"),
    );
  await until("an answer", () => socket.closeCode !== undefined || isAnswered());
  return { errors: errors(), code: isAnswered() ? undefined : socket.closeCode };
}

function framesOf(socket: RawSocket): readonly ReturnType<typeof decodeSpecFrame>[] {
  return socket.messages
    .filter(({ text }) => !text)
    .map(({ data }) => decodeSpecFrame(new Uint8Array(data).buffer));
}

const REFUSED: readonly [name: string, frames: (Uint8Array | string)[], code: string][] = [
  ["[P2] nothing", [new Uint8Array()], "bad_frame"],
  ["[P2] bytes after the frame", [new Uint8Array([...encode([6]), 0xc0])], "bad_frame"],
  ["[P3] text", ["hello"], "bad_frame"],
  ["[P3] a ping with a space", ["ping "], "bad_frame"],
  ["[P7] a map", [encode({ type: 2 })], "bad_frame"],
  ["[P7] an unknown type", [encode([99])], "bad_frame"],
  ["[P7] a server's type", [encode([17, 1, []])], "bad_frame"],
  ["[P6] one element too many", [encode([6, 1])], "bad_frame"],
  ["[P12] an array of 2^32 - 1", [new Uint8Array([0xdd, 255, 255, 255, 255])], "bad_frame"],
  ["[P12] a map of 2^32 - 1", [new Uint8Array([0xdf, 255, 255, 255, 255])], "bad_frame"],
  ["[P7] a number as id", [encode([2, 7, "e", null])], "bad_frame"],
  ["[P16] an id with a space", [encode([2, "a b", "e", null])], "bad_name"],
  ["[P20] a second hello", [HELLO], "unexpected_frame"],
  ["[P53] an ack of the future", [encode([4, 2 ** 50, 0])], "bad_position"],
  ["[P53] an ack of mail never sent", [encode([4, 0, 5])], "bad_position"],
];

const STAYS: readonly [name: string, frame: Uint8Array, code: string, id: string | null][] = [
  ["[P6] a publish without payload", encode([2, "x", "e"]), "bad_frame", "x"],
  ["[P15] an event outside the grammar", encode([2, "x", "no spaces", null]), "bad_name", "x"],
  ["[P14] a receiver outside the grammar", encode([3, "x", "é", "e", null]), "bad_name", "x"],
  ["[P31] 64 KiB and a bit", encode([2, "x", "e", "y".repeat(65_536)]), "message_too_large", "x"],
  ["[P8] an extension", prefix([0xd4, 1, 1]), "bad_payload", "x"],
  ["[P8] the byte 0xc1", prefix([0xc1]), "bad_payload", "x"],
  ["[P9] text that is not UTF-8", prefix([0xa1, 0xff]), "bad_payload", "x"],
  ["[P10] __proto__", encode([2, "x", "e", JSON.parse('{"__proto__": 1}')]), "bad_payload", "x"],
  ["[P11] 100,000 nested arrays", prefix(Array<number>(100_000).fill(0x91)), "bad_payload", "x"],
  [
    "[P11] 1,000 nested arrays",
    prefix([...Array<number>(1_000).fill(0x91), 0xc0]),
    "bad_payload",
    "x",
  ],
  ["[P11] 60,000 nils", encode([2, "x", "e", Array(60_000).fill(null)]), "bad_payload", "x"],
  ["[P12] bin of 2^32 - 1", prefix([0xc6, 255, 255, 255, 255]), "bad_payload", "x"],
  ["[P12] an array of 2^32 - 1", prefix([0xdd, 255, 255, 255, 255]), "bad_payload", "x"],
  ["[P65] a state of 2 KiB", encode([5, "y".repeat(2_048)]), "state_too_large", null],
];

function prefix(payload: readonly number[]): Uint8Array {
  return new Uint8Array([0x94, 2, 0xa1, 0x78, 0xa1, 0x65, ...payload]);
}

test("[W4][P7] frames that break the protocol are answered with a typed error and close 4400", async () => {
  await undisturbed(async () => {
    for (const [name, frames, code] of REFUSED) {
      const fate = await suffer(frames);
      expect(fate, name).toMatchObject({ errors: [{ id: null, code }], code: 4400 });
    }
    const early = await suffer([encode([2, "x", "e", null])], { greet: false });
    expect(early).toMatchObject({ errors: [{ id: null, code: "unexpected_frame" }], code: 4400 });
    for (const [member, code] of [
      ["", "bad_name"],
      ["é", "bad_name"],
      [7, "bad_frame"],
    ] as const) {
      const fate = await suffer([encode([1, { member }])], { greet: false });
      expect(fate).toMatchObject({ errors: [{ id: null, code }], code: 4400 });
    }
  });
});

test("[W4][P30][P66] what is wrong with one message refuses that message and nothing else", async () => {
  await undisturbed(async () => {
    for (const [name, frame, code, id] of STAYS) {
      const fate = await suffer([frame]);
      expect(fate, name).toEqual({
        errors: [expect.objectContaining({ id, code })],
        code: undefined,
      });
    }
  });
});

test("[W4][P14] rooms outside the grammar do not exist", async () => {
  for (const name of ["%20", "a%00b", "é", "-a", "x".repeat(129), "__proto__"]) {
    using socket = await RawSocket.open(worker.port, `/v1/rooms/${encodeURI(decodeURI(name))}`);
    expect(socket.handshake.status, name).toBe(400);
  }
});

test("[W4][P4] frames of 1, 32 and 40 MiB close with 1009 and cost the room nothing", async () => {
  await undisturbed(async () => {
    for (const mebibytes of [1, 32, 40]) {
      const { code, errors } = await suffer([new Uint8Array(mebibytes * MEBIBYTE).fill(0x91)]);
      note(`${mebibytes} MiB: ${code} ${errors.map((error) => error.code).join()}`);
      expect(code, `${mebibytes} MiB`).toBe(1009);
    }
    // One that is announced and never comes.
    using socket = await RawSocket.open(worker.port, `/v1/rooms/${ROOM}`);
    socket.sendBinary(HELLO);
    socket.sendPart(31 * MEBIBYTE, new Uint8Array(1_000));
    await until("the welcome", () => framesOf(socket).length > 0);
  });
});

test("[W4][P12] random bytes, mutated and truncated frames: an error, a close or nothing, never harm", async () => {
  note(`seed ${SEED}: repeat with SEED=${SEED}`);
  const random = new SeededRandom(SEED);
  const valid = [
    HELLO,
    encode([2, "id", "event", { text: "hello", list: [1, 2.5, null, true] }]),
    encode([3, "id", "ann", "event", new Uint8Array(20)]),
    encode([4, 0, 0]),
    encode([5, { cursor: [1, 2] }]),
  ] as const;
  const counts = new Map<string, number>();
  await undisturbed(async () => {
    for (let round = 0; round < 300; round += 1) {
      const greet = random.chance(0.8);
      const frames = Array.from({ length: random.between(1, 4) }, () => spoil(valid, random));
      const fate = await suffer(frames, { greet });
      if (fate.code !== undefined) expect(CLOSE_CODES).toContain(fate.code);
      if (fate.code === 4400) expect(fate.errors.at(-1)?.id).toBeNull();
      for (const { code } of fate.errors) counts.set(code, (counts.get(code) ?? 0) + 1);
      expect(fate.errors.filter(({ code }) => code === "internal")).toEqual([]);
    }
  });
  note(JSON.stringify(Object.fromEntries(counts)));
  expect(worker.logs).toEqual([]);
});

/** A frame with something wrong, or not: what chance does may also be harmless. */
function spoil(valid: readonly [Uint8Array, ...Uint8Array[]], random: SeededRandom): Uint8Array {
  const byte = (): number => random.between(0, 255);
  if (random.chance(0.3)) return Uint8Array.from({ length: random.between(0, 200) }, byte);
  const frame = random.pick(valid).slice();
  if (random.chance(0.3)) return frame.subarray(0, random.between(0, frame.length));
  for (let n = random.between(1, 3); n > 0; n -= 1)
    frame[random.between(0, frame.length - 1)] = byte();
  return frame;
}

test("[W4][P70] 100,000 tiny frames at once end in 4429 and the others do not notice", async () => {
  await undisturbed(async () => {
    using socket = await RawSocket.open(worker.port, `/v1/rooms/${ROOM}`);
    socket.sendBinary(HELLO);
    const frame = encode([2, "tiny", "tiny", null]);
    for (let n = 0; n < 100_000; n += 1) {
      socket.sendBinary(frame);
      // Lets the answers in now and then; the network takes what it can meanwhile.
      if (n % 1_000 === 0) {
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      }
    }
    await until("the close", () => socket.closeCode !== undefined);
    expect(socket.closeCode).toBe(4429);
  });
});
