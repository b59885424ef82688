/**
 * Owns the one place where bytes that a room's server sends become a frame with decoded values. Elements
 * beyond those it knows are ignored, so that servers may add some. Refuses to act on frames, and to know
 * those that rooms never send.
 */
import * as FRAME from "./frame-numbers.ts";
import {
  type Credit,
  type Entry,
  type GapReason,
  type MailEntry,
  type PresenceScope,
  type PresentMember,
  type Published,
  type ServerFrame,
  type WelcomeFrame,
} from "./frames.ts";
import { MAX_DEPTH, MAX_SERVER_FRAME_BYTES } from "./limits.ts";
import { count, flag, list, record, text } from "./shape.ts";
import { unpack, UnpackError } from "./unpack.ts";

/** Payloads stand in an entry, in a list, in the frame; a frame's bytes bound its elements. */
const DEEPEST = MAX_DEPTH + 4;

/** The elements of a WebSocket message. @throws UnpackError for what is no list of values. */
export function readElements(message: ArrayBuffer | Uint8Array): readonly unknown[] {
  const bytes = message instanceof Uint8Array ? message : new Uint8Array(message);
  if (bytes.length > MAX_SERVER_FRAME_BYTES) throw new UnpackError();
  return list(unpack(bytes, DEEPEST));
}

/**
 * The frame that a message of a room holds; undefined for a type that is none of a room's, which is to be
 * ignored. Integers beyond 2^53 are bigints, binary is a view of the message.
 *
 * @throws UnpackError for everything else.
 */
export function parseRoomFrame(message: ArrayBuffer | Uint8Array): ServerFrame | undefined {
  return readRoomFrame(readElements(message));
}

/** The frame of a room that these elements are; undefined for a type that is none of a room's. */
export function readRoomFrame(frame: readonly unknown[]): ServerFrame | undefined {
  switch (count(frame[0])) {
    case FRAME.welcome:
      return readWelcome(record(frame[1]));
    case FRAME.deliver:
      return { kind: "deliver", first: count(frame[1]), entries: list(frame[2]).map(readEntry) };
    case FRAME.mail:
      return { kind: "mail", entries: list(frame[1]).map(readMail) };
    case FRAME.published:
      return { kind: "published", published: list(frame[1]).map(readPublished) };
    case FRAME.error:
      return {
        kind: "error",
        id: optional(frame[1], text),
        code: text(frame[2]),
        message: text(frame[3]),
        retryAfterMs: optional(frame[4], count),
      };
    case FRAME.presenceDiff:
      return {
        kind: "presenceDiff",
        scope: readScope(frame[4]),
        count: count(frame[1]),
        here: list(frame[2]).map(readMember),
        gone: list(frame[3]).map(text),
      };
    case FRAME.gap:
      return {
        kind: "gap",
        reason: readReason(frame[1]),
        from: count(frame[2]),
        to: count(frame[3]),
      };
    case FRAME.renewed:
      return { kind: "renewed", expiresIn: optional(frame[1], count) };
    default:
      return undefined;
  }
}

function readWelcome(fields: Readonly<Record<string, unknown>>): WelcomeFrame {
  const presence = record(fields["presence"]);
  const limits = record(fields["limits"]);
  return {
    kind: "welcome",
    member: text(fields["member"]),
    connection: text(fields["connection"]),
    epoch: text(fields["epoch"]),
    head: count(fields["head"]),
    heartbeat: count(fields["heartbeat"]),
    credit: readCredit(list(fields["credit"])),
    presence: {
      count: count(presence["count"]),
      members: list(presence["members"]).map(readMember),
      complete: flag(presence["complete"]),
    },
    limits: {
      message: count(limits["message"]),
      frame: count(limits["frame"]),
      state: count(limits["state"]),
    },
    contentType: optional(fields["contentType"], text),
    expiresIn: optional(fields["expiresIn"], count),
  };
}

function readCredit(pair: readonly unknown[]): Credit {
  return { messages: count(pair[0]), bytes: count(pair[1]) };
}

/** A message of a log. */
export function readEntry(entry: unknown): Entry {
  const [sender, at, event, payload, id] = list(entry);
  return { sender: text(sender), at: count(at), event: text(event), payload, id: text(id) };
}

function readMail(entry: unknown): MailEntry {
  const [mail, ...rest] = list(entry);
  return { mail: count(mail), ...readEntry(rest) };
}

function readPublished(pair: unknown): Published {
  const [id, seq] = list(pair);
  return { id: text(id), seq: count(seq) };
}

function readMember(pair: unknown): PresentMember {
  const [member, state] = list(pair);
  return { member: text(member), state };
}

/** A scope this version does not know tells at least how many are here. */
function readScope(value: unknown): PresenceScope {
  return value === "diff" || value === "all" ? value : "count";
}

/** A reason this version does not know still means that messages are lost. */
function readReason(value: unknown): GapReason {
  const reason = text(value);
  return reason === "epoch" || reason === "future" ? reason : "trimmed";
}

function optional<Value>(value: unknown, read: (value: unknown) => Value): Value | undefined {
  return value === null || value === undefined ? undefined : read(value);
}
