/** Owns what a connection to a room says and is told. Refuses to know what carries it. */
import type { ClientFrame, HelloFrame, ServerFrame } from "../../protocol/frames.ts";
import type { Transport } from "../transport.ts";

/** The hello to greet with. */
export type RoomResume = HelloFrame;

/** A frame as it came. The first is the welcome, and `opened` is told after it. */
export interface RoomEvent {
  readonly frame: ServerFrame;
  /** Bytes that it had. */
  readonly bytes: number;
}

/** What may be sent after the greeting. */
export type RoomCommand = Exclude<ClientFrame, HelloFrame>;

/** Carries the frames of a room. */
export type RoomTransport = Transport<RoomResume, RoomEvent, RoomCommand>;
