/** Owns what a connection is told first. Refuses to know when. */
import type { PresenceSnapshot, Raw, WelcomeFrame } from "../../src/protocol/frames.ts";
import {
  HEARTBEAT_MS,
  MAX_FRAME_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_PRESENCE_BYTES,
} from "../../src/protocol/limits.ts";
import type { Log } from "../log/log.ts";
import type { Connection } from "./connection.ts";
import type { Host } from "./host.ts";

const NOBODY: PresenceSnapshot<Raw> = { count: 0, members: [], complete: true };

/** What a connection needs to know of the log and of whoever owns it. */
export function describeWelcome(
  connection: Connection,
  about: {
    readonly log: Pick<Log, "epoch" | "tail">;
    readonly host: Host;
    readonly expiresIn: number | undefined;
  },
): WelcomeFrame<Raw> {
  const { log, host, expiresIn } = about;
  return {
    kind: "welcome",
    member: connection.member,
    connection: connection.id,
    epoch: log.epoch,
    head: log.tail,
    heartbeat: HEARTBEAT_MS,
    credit: connection.credit,
    presence: host.presence?.() ?? NOBODY,
    limits: { message: MAX_MESSAGE_BYTES, frame: MAX_FRAME_BYTES, state: MAX_PRESENCE_BYTES },
    contentType: host.contentType?.(),
    expiresIn,
  };
}
