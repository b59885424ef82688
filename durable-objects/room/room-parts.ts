/** Owns what a room is made of, as its conversation sees it. Refuses to know how it is put together. */
import type { CloseEntry } from "../../src/protocol/close-codes.ts";
import type { SluiceError } from "../../src/protocol/errors.ts";
import type { Connection } from "../delivery/connection.ts";
import type { ControlChannel } from "../delivery/control-channel.ts";
import type { FanOut } from "../delivery/fan-out.ts";
import type { RateLimiter } from "../delivery/rate-limiter.ts";
import type { Log } from "../log/log.ts";
import type { Roster } from "../presence/roster.ts";
import type { Attendance } from "./attendance.ts";
import type { MailRoom } from "./mail-room.ts";
import type { Publisher } from "./publisher.ts";
import type { Receipts } from "./receipts.ts";

export interface RoomParts {
  readonly log: Log;
  readonly fanOut: FanOut;
  readonly control: ControlChannel;
  readonly limiter: RateLimiter;
  readonly roster: Roster;
  readonly attendance: Attendance;
  readonly publisher: Publisher;
  readonly receipts: Receipts;
  readonly mail: MailRoom;
  readonly connections: () => Iterable<Connection>;
  /** Forgets a connection and closes its socket with a code that tells the client what to do next. */
  readonly end: (connection: Connection, reason: CloseEntry) => void;
  readonly newId: () => string;
  /** Takes an unexpected error; the client is told no more than that there was one. */
  readonly report: (error: SluiceError) => void;
}
