/** Owns what a message that waited looks like on its way. Refuses to send it. */
import type { DirectFrame, PublishFrame, Raw } from "../../protocol/frames.ts";
import type { OutboxMessage } from "./types.ts";

/** The frame of a message. */
export function frameOf({ id, to, event, payload }: OutboxMessage): PublishFrame | DirectFrame {
  // Encoded here, or by an earlier page of this application.
  const raw = payload as Raw;
  return to === undefined
    ? { kind: "publish", id, event, payload: raw }
    : { kind: "direct", id, to, event, payload: raw };
}
