/** Owns the bytes of a client's frames. Refuses to validate them: servers do. */
import { encodeAround, encodeField, encodeMapWith } from "./bytes.ts";
import { type ClientFrame, FRAME, type HelloFrame } from "./frames.ts";

/** The WebSocket message for a frame. */
export function encodeClientFrame(frame: ClientFrame): Uint8Array {
  switch (frame.kind) {
    case "hello":
      return encodeHello(frame);
    case "publish":
      return encodeAround([FRAME.publish, frame.id, frame.event], frame.payload);
    case "direct":
      return encodeAround([FRAME.direct, frame.id, frame.to, frame.event], frame.payload);
    case "ack":
      return encodeField([FRAME.ack, frame.seq, frame.mail]);
    case "presence":
      return encodeAround([FRAME.presence], frame.state);
    case "leave":
      return encodeField([FRAME.leave]);
    case "refresh":
      return encodeField([FRAME.refresh, frame.token]);
  }
}

function encodeHello({ member, resume, mail, history, state, credit }: HelloFrame): Uint8Array {
  const options = encodeMapWith(
    {
      member,
      resume: resume && [resume.epoch, resume.seq],
      mail,
      history,
      credit: credit && [credit.messages, credit.bytes],
    },
    { state },
  );
  return encodeAround([FRAME.hello], options);
}
