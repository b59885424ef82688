/**
 * Owns what travels over a room's socket: the frames as typed values with named fields, and their
 * numbers on the wire. Refuses to know their bytes. The rules are in SPEC.md.
 */

declare const rawBrand: unique symbol;

/**
 * One MessagePack value, still encoded. Servers slice payloads from frames and store them so; only
 * whoever consumes a message decodes it. Made by `encodeValue`, `pack` or the parser, never by a cast
 * elsewhere: the brand says that the bytes are one whole, walked value.
 */
export type Raw = Uint8Array & { readonly [rawBrand]: true };

/** The WebSocket subprotocol that names this version of the frames. */
export const SUBPROTOCOL = "sluice.v1";

/** The text frame that keeps a connection alive; answered by {@link PONG} without waking anyone. */
export const PING = "ping";

/** The answer to {@link PING}. */
export const PONG = "pong";

/** First element of each frame, by its kind. */
export * as FRAME from "./frame-numbers.ts";

/** How much a server may send ahead of the acknowledgements. */
export interface Credit {
  readonly messages: number;
  /** Bytes of encoded entries. */
  readonly bytes: number;
}

/** A place in a room's log: the first message of an epoch has seq 1, and 0 is before everything. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** First frame of a client, once. */
export interface HelloFrame {
  readonly kind: "hello";
  /** The member's name, when the token does not decide it. */
  readonly member: string | undefined;
  /** The last position the application has. */
  readonly resume: Position | undefined;
  /** The last direct message the application has, by number. */
  readonly mail: number | undefined;
  /** How many of the newest messages to replay when there is no position to resume from. */
  readonly history: number | undefined;
  /** The member's presence state. */
  readonly state: Raw | undefined;
  readonly credit: Credit | undefined;
}

/** A message to everyone in the room. */
export interface PublishFrame {
  readonly kind: "publish";
  /** The client's name for the message; repeating it does not publish twice. */
  readonly id: string;
  readonly event: string;
  readonly payload: Raw;
}

/** A message to one member, present or not. */
export interface DirectFrame {
  readonly kind: "direct";
  readonly id: string;
  readonly to: string;
  readonly event: string;
  readonly payload: Raw;
}

/** Everything up to here is consumed, which grants credit. Cumulative. */
export interface AckFrame {
  readonly kind: "ack";
  readonly seq: number;
  readonly mail: number;
}

/** Replaces the sender's presence state; nil clears it. */
interface PresenceFrame {
  readonly kind: "presence";
  readonly state: Raw;
}

/** The member leaves for good. */
interface LeaveFrame {
  readonly kind: "leave";
}

/** A new token of the same subject, in place of the one that the connection was opened with. */
interface RefreshFrame {
  readonly kind: "refresh";
  readonly token: string;
}

/** Whatever a client may send. */
export type ClientFrame =
  | HelloFrame
  | PublishFrame
  | DirectFrame
  | AckFrame
  | PresenceFrame
  | LeaveFrame
  | RefreshFrame;

/** A message in the log, as it is delivered. `Value` is {@link Raw} on servers, decoded on clients. */
export interface Entry<Value = unknown> {
  /** The member who sent it; "" for a publisher without a name. */
  readonly sender: string;
  /** Milliseconds since 1970 when the server accepted it. */
  readonly at: number;
  readonly event: string;
  readonly payload: Value;
  /** The id its sender gave it. */
  readonly id: string;
}

/** A direct message as it is delivered; numbers increase per receiver. */
export interface MailEntry<Value = unknown> extends Entry<Value> {
  readonly mail: number;
}

/** Someone in the room and the state they show. */
export interface PresentMember<Value = unknown> {
  readonly member: string;
  readonly state: Value;
}

/** Who is here when a connection begins. */
export interface PresenceSnapshot<Value = unknown> {
  readonly count: number;
  readonly members: readonly PresentMember<Value>[];
  /** False in a large room, whose snapshot is a sample. */
  readonly complete: boolean;
}

/** What the server will refuse on this connection. */
interface WelcomeLimits {
  /** Bytes of an encoded payload. */
  readonly message: number;
  /** Bytes of a frame. */
  readonly frame: number;
  /** Bytes of an encoded presence state. */
  readonly state: number;
}

/** Answer to hello. */
export interface WelcomeFrame<Value = unknown> {
  readonly kind: "welcome";
  readonly member: string;
  /** Names this connection, for logs and support. */
  readonly connection: string;
  readonly epoch: string;
  /** Seq of the newest message when the connection began. */
  readonly head: number;
  /** Milliseconds between two pings of the client. */
  readonly heartbeat: number;
  /** The window granted, which may be smaller than the one asked for. */
  readonly credit: Credit;
  readonly presence: PresenceSnapshot<Value>;
  readonly limits: WelcomeLimits;
  /** What payloads are, where the server fixes it: a topic's content type, once the topic exists. */
  readonly contentType?: string | undefined;
  /** Milliseconds until the connection's token ends; undefined: it has none that does. */
  readonly expiresIn?: number | undefined;
}

/** Messages in order; the i-th has seq `first + i`. */
export interface DeliverFrame<Value = unknown> {
  readonly kind: "deliver";
  readonly first: number;
  readonly entries: readonly Entry<Value>[];
}

/** Direct messages in order. */
export interface MailFrame<Value = unknown> {
  readonly kind: "mail";
  readonly entries: readonly MailEntry<Value>[];
}

/** One message that is durable. */
export interface Published {
  readonly id: string;
  /** Its position, or its mail number for a direct message. */
  readonly seq: number;
}

/** Messages of this client that are durable now. */
export interface PublishedFrame {
  readonly kind: "published";
  readonly published: readonly Published[];
}

/** Something was refused; with an id, it was that message, which is not stored. */
export interface ErrorFrame {
  readonly kind: "error";
  readonly id: string | undefined;
  /** A code of the error table; a newer server may send one this client does not know. */
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
}

/**
 * What a frame about presence says: `diff`, who joined, changed or left since the last one; `all`,
 * everyone who is here, replacing what was known; `count`, only how many, in a large room.
 */
export const PRESENCE_SCOPES = ["diff", "all", "count"] as const;

/** One of {@link PRESENCE_SCOPES}. */
export type PresenceScope = (typeof PRESENCE_SCOPES)[number];

/** News about who is here. */
export interface PresenceDiffFrame<Value = unknown> {
  readonly kind: "presenceDiff";
  readonly scope: PresenceScope;
  /** Members here now. */
  readonly count: number;
  readonly here: readonly PresentMember<Value>[];
  readonly gone: readonly string[];
}

/** Why messages are lost to a reader. */
export type GapReason = "trimmed" | "epoch" | "future";

/** Messages `from` to `to`, both included, will not be delivered; the next delivery starts after. */
export interface GapFrame {
  readonly kind: "gap";
  readonly reason: GapReason;
  readonly from: number;
  readonly to: number;
}

/** The log has ended and everything before was delivered; the server closes. */
export interface EndFrame {
  readonly kind: "end";
  /** How it ended; a newer server may send an outcome this client does not know. */
  readonly outcome: string;
  /** What the owner of the log says about the end; empty for nothing. */
  readonly data: string;
}

/**
 * The newest entries of their keys, for a reader who did not keep up where only the newest counts:
 * positions increase and skip what is outdated. To be acked as soon as it is consumed, because
 * nothing else is delivered before.
 */
export interface LatestFrame<Value = unknown> {
  readonly kind: "latest";
  /** The position of each entry. */
  readonly seqs: readonly number[];
  readonly entries: readonly Entry<Value>[];
}

/** The new token counts. */
interface RenewedFrame {
  readonly kind: "renewed";
  /** Milliseconds until it ends; undefined: never. */
  readonly expiresIn: number | undefined;
}

/** Whatever a server may send. */
export type ServerFrame<Value = unknown> =
  | WelcomeFrame<Value>
  | DeliverFrame<Value>
  | MailFrame<Value>
  | PublishedFrame
  | ErrorFrame
  | PresenceDiffFrame<Value>
  | GapFrame
  | EndFrame
  | LatestFrame<Value>
  | RenewedFrame;
