/**
 * Owns the reading of hello's options. Whatever is wrong with them ends the connection, because the
 * client could not be served as it asked. Refuses to know what a room does with them.
 */
import { FrameError, fatalFrame } from "./frame-error.ts";
import { CLOSE } from "./close-codes.ts";
import type { Credit, HelloFrame, Position, Raw } from "./frames.ts";
import {
  MAX_CREDIT_BYTES,
  MAX_CREDIT_MESSAGES,
  MAX_HELLO_OPTIONS,
  MAX_HISTORY,
  MAX_PRESENCE_BYTES,
} from "./limits.ts";
import { isEpoch, isMemberName } from "./names.ts";
import type { FieldReader } from "./reader.ts";
import { WalkError } from "./walk.ts";

type Options = { -readonly [Name in Exclude<keyof HelloFrame, "kind">]: HelloFrame[Name] };

/**
 * The hello whose map of options comes next. Options that are absent or nil are undefined, unknown
 * ones ignored, wishes beyond a limit cut down to it.
 *
 * @throws WalkError, FrameError.
 */
export function readHello(reader: FieldReader): HelloFrame {
  const options: Options = {
    member: undefined,
    resume: undefined,
    mail: undefined,
    history: undefined,
    state: undefined,
    credit: undefined,
  };
  const pairs = reader.mapHeader();
  if (pairs > MAX_HELLO_OPTIONS) throw new WalkError("too_many");
  for (let i = 0; i < pairs; i += 1) readOption(reader, options);
  return { kind: "hello", ...options };
}

function readOption(reader: FieldReader, options: Options): void {
  const name = reader.text();
  if (reader.nil()) return;
  switch (name) {
    case "member":
      options.member = readMember(reader);
      return;
    case "resume":
      options.resume = readPosition(reader);
      return;
    case "mail":
      options.mail = reader.count();
      return;
    case "history":
      options.history = Math.min(reader.count(), MAX_HISTORY);
      return;
    case "state":
      options.state = readState(reader);
      return;
    case "credit":
      options.credit = readCredit(reader);
      return;
    default:
      reader.skip();
  }
}

function readMember(reader: FieldReader): string {
  const member = reader.text();
  if (!isMemberName(member)) {
    throw new FrameError("bad_name", { close: CLOSE.protocolError, param: "member" });
  }
  return member;
}

function readPosition(reader: FieldReader): Position {
  expectPair(reader);
  const epoch = reader.text();
  if (!isEpoch(epoch)) {
    throw new FrameError("bad_position", { close: CLOSE.protocolError, param: "resume" });
  }
  return { epoch, seq: reader.count() };
}

function readState(reader: FieldReader): Raw {
  const state = reader.raw();
  if (state.length > MAX_PRESENCE_BYTES) {
    throw fatalFrame(
      "state_too_large",
      `A presence state may have ${MAX_PRESENCE_BYTES} encoded bytes at most.`,
    );
  }
  return state;
}

/** A window of nothing would never open again: it has room for one message at least. */
function readCredit(reader: FieldReader): Credit {
  expectPair(reader);
  const messages = Math.min(Math.max(reader.count(), 1), MAX_CREDIT_MESSAGES);
  const bytes = Math.min(Math.max(reader.count(), 1), MAX_CREDIT_BYTES);
  return { messages, bytes };
}

function expectPair(reader: FieldReader): void {
  if (reader.arrayHeader() !== 2) throw new WalkError("wrong_type");
}
