/** Owns the bytes of a client's frames. Refuses to validate them: servers do. */
import * as FRAME from "./frame-numbers.ts";
import type { ClientFrame } from "./frames.ts";
import { pack, Packed } from "./pack.ts";

/** The WebSocket message for a frame. */
export function encodeClientFrame(frame: ClientFrame): Uint8Array<ArrayBuffer> {
  return pack(fieldsOf(frame));
}

function fieldsOf(frame: ClientFrame): readonly unknown[] {
  switch (frame.kind) {
    case "hello": {
      const { member, resume, mail, history, state, credit } = frame;
      const options = {
        member,
        resume: resume && [resume.epoch, resume.seq],
        mail,
        history,
        credit: credit && [credit.messages, credit.bytes],
        state: state && new Packed(state),
      };
      return [FRAME.hello, options];
    }
    case "publish":
      return [FRAME.publish, frame.id, frame.event, new Packed(frame.payload)];
    case "direct":
      return [FRAME.direct, frame.id, frame.to, frame.event, new Packed(frame.payload)];
    case "ack":
      return [FRAME.ack, frame.seq, frame.mail];
    case "presence":
      return [FRAME.presence, new Packed(frame.state)];
    case "leave":
      return [FRAME.leave];
    case "refresh":
      return [FRAME.refresh, frame.token];
  }
}
