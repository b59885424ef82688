/**
 * Owns one tab's place at a room that several tabs share: what it was told, what it has consumed. Refuses
 * to know the connection.
 */
import type { DeliverFrame, GapFrame, HelloFrame, ServerFrame } from "../../protocol/frames.ts";
import { DEFAULT_CREDIT_MESSAGES } from "../../protocol/limits.ts";
import type { RoomCommand, RoomEvent } from "../room/transport.ts";
import type { Link, LinkObserver } from "../transport.ts";

/** A frame of the log, as it is kept. */
export interface LogFrame {
  readonly frame: DeliverFrame | GapFrame;
  readonly bytes: number;
}

export class RoomSeat {
  readonly hello: HelloFrame;
  readonly observer: LinkObserver<RoomEvent>;
  /** Messages it may be told ahead of its acks. */
  window: number;
  /** Number of the next frame it is told; undefined while it is not read from what is kept. */
  cursor: number | undefined;
  /** Its own connection, while it catches up. */
  own: Link<RoomCommand> | undefined;
  isOpened = false;
  /** Of the log that it was told from. */
  epoch = "";
  /** The last message it was told, and the last that it consumed. */
  told = 0;
  acked = 0;
  mail: number;

  constructor(hello: HelloFrame, observer: LinkObserver<RoomEvent>) {
    this.hello = hello;
    this.observer = observer;
    this.window = hello.credit?.messages ?? DEFAULT_CREDIT_MESSAGES;
    this.mail = hello.mail ?? 0;
  }

  get hasRoom(): boolean {
    return this.told - this.acked < this.window;
  }

  /** Is told a frame of the log. What lies between two messages takes no room. */
  advance(frame: DeliverFrame | GapFrame): void {
    const first = frame.kind === "gap" ? frame.to + 1 : frame.first;
    this.acked += Math.max(0, first - 1 - this.told);
    this.told = Math.max(this.told, lastOf(frame));
  }

  /** Begins after a message. */
  begin(seq: number): void {
    this.told = seq;
    this.acked = seq;
  }

  /** Tells of the log what it has not been told. */
  tellLog({ frame, bytes }: LogFrame): void {
    const last = lastOf(frame);
    if (last <= this.told) return;
    const known = frame.kind === "deliver" ? Math.max(0, this.told + 1 - frame.first) : 0;
    this.advance(frame);
    if (frame.kind === "gap" || known === 0) {
      this.tell(frame, bytes);
      return;
    }
    const entries = frame.entries.slice(known);
    const share = (bytes * entries.length) / frame.entries.length;
    this.tell({ kind: "deliver", first: frame.first + known, entries }, share);
  }

  tell(frame: ServerFrame, bytes = 0): void {
    this.observer.event({ frame, bytes });
  }

  opened(isBehind: boolean): void {
    if (this.isOpened) return;
    this.isOpened = true;
    this.observer.opened(isBehind);
  }
}

/** The last message that a frame speaks of. */
export function lastOf(frame: DeliverFrame | GapFrame): number {
  return frame.kind === "gap" ? frame.to : frame.first + frame.entries.length - 1;
}
