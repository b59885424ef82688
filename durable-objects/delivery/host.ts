/**
 * Owns what an object adds to its audience: the questions and events that are the object's own.
 * Refuses to know any object.
 */
import type {
  AckFrame,
  ClientFrame,
  HelloFrame,
  PresenceSnapshot,
  Raw,
} from "../../src/protocol/frames.ts";
import type { Connection } from "./connection.ts";

/** What an object adds to its audience; an object whose connections only read adds nothing. */
export interface Host {
  /** A hello came; may name the member, or throw a {@link FrameError}. */
  readonly onHello?: (connection: Connection, hello: HelloFrame) => void;
  /** Who is here, for the welcome. */
  readonly presence?: () => PresenceSnapshot<Raw>;
  /** What payloads are, for the welcome, where the object fixes it. */
  readonly contentType?: () => string | undefined;
  /** The connection is being served. */
  readonly onServed?: (connection: Connection) => void;
  /** The connection has caught up with the log. */
  readonly onLive?: (connection: Connection) => void;
  readonly onAck?: (connection: Connection, ack: AckFrame) => void;
  /** Any other frame of a member. */
  readonly onFrame?: (connection: Connection, frame: SpokenFrame) => void;
  /** A frame of the connection was refused before it meant anything. */
  readonly onRefused?: (connection: Connection) => void;
  /** A flush that was on its way has left to everyone. */
  readonly onDelivered?: () => void;
  /** The connection is gone, however it went. */
  readonly onGone?: (connection: Connection) => void;
}

/** Frames by which a member does something. */
export type SpokenFrame = Exclude<ClientFrame, HelloFrame | AckFrame>;
