/**
 * Owns the newest frames of a room's log, and where among them a hello begins. Refuses to know who greets.
 */
import type { DeliverFrame, GapFrame, HelloFrame, WelcomeFrame } from "../../protocol/frames.ts";
import { Ring } from "./ring.ts";
import { lastOf, type LogFrame } from "./room-seat.ts";

export class RoomKept {
  readonly ring = new Ring<LogFrame, number>();
  epoch = "";

  /** What is kept begins where the hello of a new connection asked for it, or with a gap that says so. */
  begin({ epoch, head }: WelcomeFrame, { resume, history = 0 }: HelloFrame): void {
    this.epoch = epoch;
    if (resume !== undefined) this.ring.reset(resume.epoch === epoch ? resume.seq : 0);
    else this.ring.reset(history === 0 || head === 0 ? head : undefined);
  }

  push(frame: DeliverFrame | GapFrame, bytes: number): void {
    // Before the first message of a history, nobody knows where it begins.
    if (this.ring.tail === undefined && frame.kind === "deliver") this.ring.reset(frame.first - 1);
    this.ring.push({ frame, bytes }, lastOf(frame), bytes);
  }

  /** The number of the frame that a hello begins with; undefined when what it wants is not kept. */
  cursorFor({ resume, history = 0 }: HelloFrame): number | undefined {
    const { base, tail } = this.ring;
    if (base === undefined || tail === undefined) return undefined;
    if (resume !== undefined && resume.epoch !== this.epoch) return undefined;
    const seq = resume?.seq ?? Math.max(0, tail - history);
    if (seq < base || seq > tail) return undefined;
    return this.ring.findFirst(({ frame }) => lastOf(frame) > seq);
  }

  /** The last message before a hello's first. */
  seqBefore({ resume, history = 0 }: HelloFrame): number {
    if (resume?.epoch === this.epoch) return resume.seq;
    const { base = 0, tail = 0 } = this.ring;
    return Math.max(base, tail - history);
  }
}

/** The last message before the first that a new connection brings; 0 where it will say so itself. */
export function seqBefore(
  { resume, history = 0 }: HelloFrame,
  { epoch, head }: WelcomeFrame,
): number {
  if (resume !== undefined) return resume.epoch === epoch ? resume.seq : 0;
  return history === 0 ? head : 0;
}
