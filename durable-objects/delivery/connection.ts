/**
 * Owns what is known of one connection, and the small part of it that stays with the socket while
 * the object sleeps. Refuses to know what is sent over it.
 */
import * as v from "valibot";
import type { Credit, Raw } from "../../src/protocol/frames.ts";
import { decodePermit, encodePermit, type Permit } from "../../src/protocol/permit.ts";
import { merge, type Outstanding } from "./outstanding.ts";
import type { Receiver, SocketLike } from "./socket.ts";

/** Which door a connection came through: members are present and may speak, viewers only read. */
export type Door = "member" | "viewer";

/** What a connection waits for. Only a live one is part of the fan-out. */
type Phase =
  /** Accepted; nothing is sent before its hello. */
  | { readonly kind: "greeting" }
  /** Has been sent everything up to the log's head. */
  | { readonly kind: "live" }
  /** Out of credit, or catching up: it costs a cursor, and reads pages from the log when it can. */
  | { readonly kind: "lagging"; readonly cursor: number; readonly since: number }
  /** Gone, or told to go: nothing is sent to it any more, and it does not come back after a sleep. */
  | { readonly kind: "ended" };

/** One socket and what the object knows of it. */
export interface Connection extends Outstanding, Receiver {
  /** For logs and support; unguessable. */
  readonly id: string;
  readonly door: Door;
  /** Milliseconds since 1970. */
  readonly joinedAt: number;
  /** What it may do, whose it is and until when; a new token may change it. */
  permit: Permit;
  /** Empty before the hello and for viewers. */
  member: string;
  phase: Phase;
  /** The window granted in the welcome. */
  credit: Credit;
  /** The last direct message consumed, and the last one sent. */
  mailAcked: number;
  mailSent: number;
  /** Bytes sent since the last ack that belong to no log: acks, presence, errors, direct messages. */
  controlBytes: number;
  /** The connection has missed presence and needs all of it. */
  presenceStale: boolean;
  /** What the member shows on this connection. */
  state: Raw | undefined;
  /** Grows with each state shown: of a member's connections, the one that showed last counts. */
  shownAs: number;
}

const VERSION = 3;

const attachmentSchema = v.tuple([
  v.literal(VERSION),
  v.string(),
  v.picklist(["member", "viewer"]),
  v.number(),
  v.string(),
  v.string(),
  v.picklist(["greeting", "live", "lagging"]),
  v.number(),
  v.number(),
  v.tuple([v.number(), v.number()]),
  v.number(),
  v.number(),
  v.number(),
  v.boolean(),
  v.nullable(v.instance(Uint8Array)),
  v.number(),
  v.number(),
  v.number(),
  v.number(),
  v.number(),
  v.boolean(),
]);

/** A connection that has just been accepted. */
export function acceptConnection(
  socket: SocketLike,
  facts: Pick<Connection, "id" | "door" | "joinedAt" | "permit">,
): Connection {
  const connection: Connection = {
    ...facts,
    socket,
    member: "",
    phase: { kind: "greeting" },
    credit: { messages: 0, bytes: 0 },
    acked: 0,
    pages: [],
    base: { seq: 0, total: 0 },
    mailAcked: 0,
    mailSent: 0,
    controlBytes: 0,
    presenceStale: false,
    state: undefined,
    shownAs: 0,
  };
  saveConnection(connection);
  return connection;
}

/**
 * Puts what must survive sleep onto the socket. Where a live connection stands is not part of it:
 * an object sleeps only when nothing is left to send, so it stands at the head.
 */
export function saveConnection(connection: Connection): void {
  const { phase } = connection;
  const [merged] = merge(connection);
  const lagging = phase.kind === "lagging" ? phase : { cursor: 0, since: 0 };
  connection.socket.serializeAttachment([
    VERSION,
    connection.id,
    connection.door,
    connection.joinedAt,
    encodePermit(connection.permit),
    connection.member,
    phase.kind,
    lagging.cursor,
    lagging.since,
    [connection.credit.messages, connection.credit.bytes],
    connection.acked,
    connection.mailAcked,
    connection.mailSent,
    connection.presenceStale,
    connection.state ?? null,
    connection.shownAs,
    connection.controlBytes,
    connection.base.seq,
    connection.base.total,
    merged?.bytes ?? 0,
    merged?.isSparse ?? false,
  ]);
}

/** The connection on a socket that outlived its object's memory; undefined when it is not one of ours. */
export function restoreConnection(socket: SocketLike): Connection | undefined {
  const result = v.safeParse(attachmentSchema, socket.deserializeAttachment());
  if (!result.success) return undefined;
  const [, id, door, joinedAt, permitText, member, kind, cursor, since, credit, acked, ...rest] =
    result.output;
  const [
    mailAcked,
    mailSent,
    presenceStale,
    state,
    shownAs,
    controlBytes,
    seq,
    total,
    bytes,
    isSparse,
  ] = rest;
  const permit = decodePermit(permitText);
  if (permit === undefined) return undefined;
  return {
    socket,
    id,
    door,
    joinedAt,
    permit,
    member,
    phase: kind === "lagging" ? { kind, cursor, since } : { kind },
    credit: { messages: credit[0], bytes: credit[1] },
    acked,
    pages: bytes > 0 ? [{ last: seq, bytes, isSparse }] : [],
    base: { seq, total },
    mailAcked,
    mailSent,
    controlBytes,
    presenceStale,
    // Only bytes that were walked when they came in are ever attached.
    state: (state as Raw | null) ?? undefined,
    shownAs,
  };
}
