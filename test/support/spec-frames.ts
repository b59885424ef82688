/**
 * Owns the frames of rooms as a stranger reads and writes them who has SPEC.md and a MessagePack
 * library and nothing else of ours. Refuses to know the sources of the protocol.
 */
import { Decoder, Encoder } from "@msgpack/msgpack";

/** A message as it was delivered. */
export interface SpecMessage {
  readonly seq: number;
  readonly sender: string;
  readonly at: number;
  readonly event: string;
  readonly payload: unknown;
  readonly id: string;
}

/** What the server said on welcome. */
export interface SpecWelcome {
  readonly kind: "welcome";
  readonly member: string;
  readonly connection: string;
  readonly epoch: string;
  readonly head: number;
  readonly heartbeat: number;
  readonly credit: readonly [messages: number, bytes: number];
  readonly count: number;
  readonly members: readonly (readonly [member: string, state: unknown])[];
  readonly complete: boolean;
}

/** What was refused, and why. */
export interface SpecError {
  readonly kind: "error";
  readonly id: string | null;
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs: number | null;
}

/** Messages that are lost to this reader. */
export interface SpecGap {
  readonly kind: "gap";
  readonly reason: string;
  readonly from: number;
  readonly to: number;
}

export type SpecFrame =
  | SpecWelcome
  | SpecError
  | SpecGap
  | { readonly kind: "deliver"; readonly messages: readonly SpecMessage[] }
  | { readonly kind: "mail"; readonly messages: readonly SpecMessage[] }
  | { readonly kind: "published"; readonly answers: readonly (readonly [string, number])[] }
  | {
      readonly kind: "presence";
      readonly count: number;
      readonly here: readonly (readonly [member: string, state: unknown])[];
      readonly gone: readonly string[];
      readonly scope: string;
    }
  | { readonly kind: "unknown" };

const encoder = new Encoder({ useBigInt64: true });
// All 64 bits of integers (P13); counts are brought back to numbers below.
const decoder = new Decoder({ useBigInt64: true });

/** Bytes of a client's frame. */
export function encodeSpecFrame(frame: readonly unknown[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encoder.encode(frame));
}

/** The frame in a binary message of the server. */
export function decodeSpecFrame(data: ArrayBuffer): SpecFrame {
  const [type, ...rest] = list(decoder.decode(data));
  const [first, second, third, fourth] = rest;
  switch (type) {
    case 16: {
      const fields = map(first);
      const presence = map(fields["presence"]);
      const [messages, bytes] = list(fields["credit"]);
      return {
        kind: "welcome",
        member: text(fields["member"]),
        connection: text(fields["connection"]),
        epoch: text(fields["epoch"]),
        head: count(fields["head"]),
        heartbeat: count(fields["heartbeat"]),
        credit: [count(messages), count(bytes)],
        count: count(presence["count"]),
        members: list(presence["members"]).map(readState),
        complete: presence["complete"] === true,
      };
    }
    case 17: {
      const start = count(first);
      return {
        kind: "deliver",
        messages: list(second).map((entry, index) => readMessage(start + index, list(entry))),
      };
    }
    case 18:
      return {
        kind: "mail",
        messages: list(first).map((entry) => {
          const [mail, ...message] = list(entry);
          return readMessage(count(mail), message);
        }),
      };
    case 19:
      return {
        kind: "published",
        answers: list(first).map((answer) => {
          const [id, seq] = list(answer);
          return [text(id), count(seq)];
        }),
      };
    case 20:
      return {
        kind: "error",
        id: first === null ? null : text(first),
        code: text(second),
        message: text(third),
        retryAfterMs: fourth === null ? null : count(fourth),
      };
    case 21:
      return {
        kind: "presence",
        count: count(first),
        here: list(second).map(readState),
        gone: list(third).map(text),
        scope: text(fourth),
      };
    case 22:
      return { kind: "gap", reason: text(first), from: count(second), to: count(third) };
    default:
      return { kind: "unknown" };
  }
}

function readMessage(seq: number, entry: readonly unknown[]): SpecMessage {
  const [sender, at, event, payload, id] = entry;
  return {
    seq,
    sender: text(sender),
    at: count(at),
    event: text(event),
    payload,
    id: text(id),
  };
}

function readState(value: unknown): readonly [string, unknown] {
  const [member, state] = list(value);
  return [text(member), state];
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`SPEC.md says array, the server sent ${typeof value}`);
  return value;
}

function map(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`SPEC.md says map, the server sent ${typeof value}`);
  }
  return value as Readonly<Record<string, unknown>>;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new Error(`SPEC.md says string, not ${typeof value}`);
  return value;
}

function count(value: unknown): number {
  const number = Number(value);
  if ((typeof value !== "number" && typeof value !== "bigint") || !Number.isSafeInteger(number)) {
    throw new Error(`SPEC.md says count, not ${String(value)}`);
  }
  return number;
}
