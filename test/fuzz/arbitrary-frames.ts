/** Owns generators of valid frames and values. Refuses to know what is checked about them. */
import * as fc from "fast-check";
import {
  type ClientFrame,
  PRESENCE_SCOPES,
  type Raw,
  type ServerFrame,
} from "../../src/protocol/frames.ts";
import { MAX_CREDIT_BYTES, MAX_CREDIT_MESSAGES, MAX_HISTORY } from "../../src/protocol/limits.ts";
import { encodeValue } from "../../src/protocol/value.ts";

const LETTERS = "ABCXYZabcxyz";
const text = (first: string, rest: string, maxLength: number): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(...first.split("")),
      fc.string({ unit: fc.constantFrom(...rest.split("")), maxLength: maxLength - 1 }),
    )
    .map(([head, tail]) => head + tail);

const member = text(`${LETTERS}09`, `${LETTERS}0189._~:@-`, 128);
const event = text(`${LETTERS}_`, `${LETTERS}0189._:/-`, 64);
const epoch = text(`${LETTERS}09-`, `${LETTERS}0189-`, 64);
const id = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 64,
});
const count = fc.oneof(fc.nat(300), fc.maxSafeNat());
const key = fc.string({ unit: "grapheme", maxLength: 20 }).filter((name) => name !== "__proto__");
/** What stays a bigint on its way: smaller ones come back as numbers. */
const wide = fc.oneof(
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
);

/** Values that come back from the wire as they were. */
export const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 8, withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, false, "", 0, -1, 2 ** 31, 2 ** 32, -(2 ** 31) - 1),
    fc.maxSafeInteger(),
    fc.double(),
    wide,
    fc.string({ unit: "grapheme" }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie("node"), { maxLength: 20 }),
    fc.dictionary(key, tie("node"), { maxKeys: 20, noNullPrototype: true }),
  ),
})).node;

const raw: fc.Arbitrary<Raw> = value.map((original) => encodeValue(original));
const state = raw.filter((bytes) => bytes.length <= 1024);
const maybe = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(arbitrary, { nil: undefined });
const kind = <const Kind extends string>(name: Kind): fc.Arbitrary<Kind> => fc.constant(name);

/** Frames of a client that a server accepts as they are. */
export const clientFrame: fc.Arbitrary<ClientFrame> = fc.oneof(
  fc.record({
    kind: kind("hello"),
    member: maybe(member),
    resume: maybe(fc.record({ epoch, seq: count })),
    mail: maybe(count),
    history: maybe(fc.nat(MAX_HISTORY)),
    // Nil is the same as absent.
    state: maybe(state.filter((bytes) => bytes[0] !== 0xc0)),
    credit: maybe(
      fc.record({
        messages: fc.integer({ min: 1, max: MAX_CREDIT_MESSAGES }),
        bytes: fc.integer({ min: 1, max: MAX_CREDIT_BYTES }),
      }),
    ),
  }),
  fc.record({ kind: kind("publish"), id, event, payload: raw }),
  fc.record({ kind: kind("direct"), id, to: member, event, payload: raw }),
  fc.record({ kind: kind("ack"), seq: count, mail: count }),
  fc.record({ kind: kind("presence"), state }),
  fc.record({ kind: kind("leave") }),
  fc.record({ kind: kind("refresh"), token: fc.string() }),
);

const entry = { sender: fc.oneof(fc.constant(""), member), at: count, event, payload: raw, id };
const present = fc.array(fc.record({ member, state }), { maxLength: 20 });

/** Frames of a server. */
export const serverFrame: fc.Arbitrary<ServerFrame<Raw>> = fc.oneof(
  fc.record({
    kind: kind("welcome"),
    member,
    connection: fc.string(),
    epoch,
    head: count,
    heartbeat: count,
    credit: fc.record({ messages: count, bytes: count }),
    presence: fc.record({ count, members: present, complete: fc.boolean() }),
    limits: fc.record({ message: count, frame: count, state: count }),
  }),
  fc.record({
    kind: kind("deliver"),
    first: count,
    entries: fc.array(fc.record(entry), { maxLength: 40 }),
  }),
  fc.record({
    kind: kind("mail"),
    entries: fc.array(fc.record({ ...entry, mail: count }), { maxLength: 20 }),
  }),
  fc.record({
    kind: kind("published"),
    published: fc.array(fc.record({ id, seq: count }), { maxLength: 40 }),
  }),
  fc.record({
    kind: kind("error"),
    id: maybe(id),
    code: fc.string(),
    message: fc.string(),
    retryAfterMs: maybe(count),
  }),
  fc.record({
    kind: kind("presenceDiff"),
    count,
    here: present,
    gone: fc.array(member, { maxLength: 20 }),
    scope: fc.constantFrom(...PRESENCE_SCOPES),
  }),
  fc.record({
    kind: kind("gap"),
    reason: fc.constantFrom("trimmed" as const, "epoch" as const, "future" as const),
    from: count,
    to: count,
  }),
  fc.record({ kind: kind("renewed"), expiresIn: maybe(count) }),
);
