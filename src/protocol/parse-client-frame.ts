/**
 * Owns the one place where bytes of a client become a validated frame. Refuses to decode payloads,
 * and to judge whether the frame may be sent now: that is the room's.
 */
import { CLOSE } from "./close-codes.ts";
import { FrameError, fatalFrame } from "./frame-error.ts";
import { type ClientFrame, FRAME, type Raw } from "./frames.ts";
import { MAX_FRAME_BYTES, MAX_MESSAGE_BYTES, MAX_PRESENCE_BYTES } from "./limits.ts";
import { isEventName, isMemberName, isMessageId } from "./names.ts";
import { readHello } from "./parse-hello.ts";
import { FieldReader } from "./reader.ts";
import { WalkError } from "./walk.ts";

/**
 * The frame that a WebSocket message holds. A payload is a view of the message, not a copy.
 *
 * @throws FrameError for everything else; it says which message is refused or how to close.
 */
export function parseClientFrame(message: string | ArrayBuffer | Uint8Array): ClientFrame {
  if (typeof message === "string") {
    throw fatalFrame("bad_frame", "The only text frame is `ping`.");
  }
  if (message.byteLength > MAX_FRAME_BYTES) {
    throw fatalFrame(
      "frame_too_large",
      `A frame may have ${MAX_FRAME_BYTES} bytes at most.`,
      CLOSE.tooLarge,
    );
  }
  try {
    return readFrame(
      new FieldReader(message instanceof Uint8Array ? message : new Uint8Array(message)),
    );
  } catch (error) {
    if (error instanceof WalkError) throw fatalFrame("bad_frame", error.message);
    throw error;
  }
}

function readFrame(reader: FieldReader): ClientFrame {
  const fields = reader.arrayHeader() - 1;
  if (fields < 0) throw new WalkError("wrong_type");
  const type = reader.count();
  switch (type) {
    case FRAME.hello:
      expectFields(fields, 1);
      return finish(reader, readHello(reader));
    case FRAME.publish:
    case FRAME.direct:
      return readMessage(reader, type, fields);
    case FRAME.ack:
      expectFields(fields, 2);
      return finish(reader, { kind: "ack", seq: reader.count(), mail: reader.count() });
    case FRAME.presence:
      expectFields(fields, 1);
      return readPresence(reader);
    case FRAME.leave:
      expectFields(fields, 0);
      return finish(reader, { kind: "leave" });
    case FRAME.refresh:
      expectFields(fields, 1);
      return finish(reader, { kind: "refresh", token: reader.text() });
    default:
      throw fatalFrame("bad_frame", "Clients send no frame of this type.");
  }
}

/** From the moment its id is read, whatever is wrong with a message refuses that message only. */
function readMessage(reader: FieldReader, type: 2 | 3, fields: number): ClientFrame {
  const id = reader.text();
  if (!isMessageId(id)) {
    throw fatalFrame("bad_name", "A message id is 1 to 64 visible ASCII characters.");
  }
  try {
    expectFields(fields, type === FRAME.publish ? 3 : 4);
    const to = type === FRAME.direct ? reader.text() : undefined;
    if (to !== undefined && !isMemberName(to))
      throw new FrameError("bad_name", { id, param: "to" });
    const event = reader.text();
    if (!isEventName(event)) throw new FrameError("bad_name", { id, param: "event" });
    const payload = readPayload(reader, id);
    reader.end();
    return to === undefined
      ? { kind: "publish", id, event, payload }
      : { kind: "direct", id, to, event, payload };
  } catch (error) {
    if (error instanceof WalkError)
      throw new FrameError("bad_frame", { id, detail: error.message });
    throw error;
  }
}

function readPayload(reader: FieldReader, id: string): Raw {
  const payload = readValue(reader, id, "payload");
  if (payload.length > MAX_MESSAGE_BYTES) {
    throw new FrameError("message_too_large", {
      id,
      detail: `A payload may have ${MAX_MESSAGE_BYTES} encoded bytes at most.`,
      param: "payload",
    });
  }
  return payload;
}

function readPresence(reader: FieldReader): ClientFrame {
  const state = readValue(reader, undefined, "state");
  reader.end();
  return { kind: "presence", state: checkState(state) };
}

/** A state that is refused leaves the former one in place. */
function checkState(state: Raw): Raw {
  if (state.length > MAX_PRESENCE_BYTES) {
    throw new FrameError("state_too_large", {
      detail: `A presence state may have ${MAX_PRESENCE_BYTES} encoded bytes at most.`,
      param: "state",
    });
  }
  return state;
}

function readValue(reader: FieldReader, id: string | undefined, param: string): Raw {
  try {
    return reader.raw();
  } catch (error) {
    if (!(error instanceof WalkError)) throw error;
    throw new FrameError("bad_payload", { id, detail: error.message, param });
  }
}

function expectFields(fields: number, expected: number): void {
  if (fields !== expected) throw new WalkError("wrong_type");
}

function finish(reader: FieldReader, frame: ClientFrame): ClientFrame {
  reader.end();
  return frame;
}
