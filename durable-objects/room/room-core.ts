/**
 * Owns a room's conversation: what each frame of a connection does. Refuses to know the platform:
 * sockets, storage and time are handed in, and everything runs within one turn, so that frames of one
 * sender stay in order although handlers of the platform interleave.
 */
import { CLOSE } from "../../src/protocol/close-codes.ts";
import { encodeServerFrame } from "../../src/protocol/encode-server-frame.ts";
import { SluiceError, toSluiceError } from "../../src/protocol/errors.ts";
import { FrameError, fatalFrame } from "../../src/protocol/frame-error.ts";
import type {
  ClientFrame,
  DirectFrame,
  HelloFrame,
  PublishFrame,
  Raw,
  ServerFrame,
} from "../../src/protocol/frames.ts";
import {
  DEFAULT_CREDIT_BYTES,
  DEFAULT_CREDIT_MESSAGES,
  HEARTBEAT_MS,
  MAX_CONNECTIONS_PER_MEMBER,
  MAX_CREDIT_BYTES,
  MAX_CREDIT_MESSAGES,
  MAX_FRAME_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_PRESENCE_BYTES,
} from "../../src/protocol/limits.ts";
import { parseClientFrame } from "../../src/protocol/parse-client-frame.ts";
import { encodeValue } from "../../src/protocol/value.ts";
import { type Connection, saveConnection } from "../delivery/connection.ts";
import type { RoomParts } from "./room-parts.ts";

/** What a member shows who shows nothing. */
const NOTHING = encodeValue(null);

export class RoomCore {
  readonly #parts: RoomParts;

  constructor(parts: RoomParts) {
    this.#parts = parts;
  }

  /** Takes a message from a socket. Whatever is wrong with it harms its sender only (W4). */
  receive(connection: Connection, message: string | ArrayBuffer): void {
    try {
      this.#handle(connection, parseClientFrame(message));
    } catch (thrown) {
      this.#refuse(connection, toSluiceError(thrown));
    }
    this.#parts.receipts.flush();
  }

  #handle(connection: Connection, frame: ClientFrame): void {
    if ((connection.phase.kind === "greeting") !== (frame.kind === "hello")) {
      throw fatalFrame("unexpected_frame", "The first frame, and only it, is a hello.");
    }
    if (connection.door === "viewer" && frame.kind !== "hello" && frame.kind !== "ack") {
      throw fatalFrame("unexpected_frame", "This connection may only read.");
    }
    switch (frame.kind) {
      case "hello":
        this.#greet(connection, frame);
        return;
      case "publish":
        this.#publish(connection, frame);
        return;
      case "direct":
        this.#sendMail(connection, frame);
        return;
      case "ack":
        this.#acknowledge(connection, frame.seq, frame.mail);
        return;
      case "presence":
        this.#show(connection, frame.state);
        return;
      case "leave":
        this.#parts.end(connection, CLOSE.left);
        return;
    }
  }

  #greet(connection: Connection, hello: HelloFrame): void {
    const { log, fanOut, attendance, mail } = this.#parts;
    connection.credit = grantCredit(hello);
    if (connection.door === "member") this.#join(connection, hello);
    const start = log.resolve(
      hello.resume ?? (hello.history === undefined ? "now" : { newest: hello.history }),
    );
    this.#send(connection, {
      kind: "welcome",
      member: connection.member,
      connection: connection.id,
      epoch: log.epoch,
      head: log.tail,
      heartbeat: HEARTBEAT_MS,
      credit: connection.credit,
      presence: attendance.snapshot(),
      limits: { message: MAX_MESSAGE_BYTES, frame: MAX_FRAME_BYTES, state: MAX_PRESENCE_BYTES },
    });
    if (start.kind === "gap") this.#send(connection, start);
    if (hello.mail !== undefined && connection.door === "member") {
      connection.mailAcked = hello.mail;
      mail.acknowledge(connection.member, hello.mail);
    }
    connection.mailSent = connection.mailAcked;
    fanOut.begin(connection, start.kind === "gap" ? start.to : start.seq);
    this.#deliverMail(connection);
    saveConnection(connection);
    attendance.changed();
  }

  #join(connection: Connection, hello: HelloFrame): void {
    const { roster, newId } = this.#parts;
    const { fixedMember } = connection;
    if (fixedMember !== undefined && hello.member !== undefined && hello.member !== fixedMember) {
      throw fatalFrame("not_allowed", "The token decides the member's name.", CLOSE.notAllowed);
    }
    const member = fixedMember ?? hello.member ?? newId();
    if (roster.connectionsOf(member) >= MAX_CONNECTIONS_PER_MEMBER) {
      throw fatalFrame(
        "room_overloaded",
        `A member may have ${MAX_CONNECTIONS_PER_MEMBER} connections at most.`,
        CLOSE.overloaded,
      );
    }
    connection.member = member;
    // A copy: a view would keep the whole frame alive.
    connection.state = hello.state?.slice() as Raw | undefined;
    roster.show(member, connection.id, connection.state ?? NOTHING);
  }

  #publish(connection: Connection, { id, event, payload }: PublishFrame): void {
    if (!this.#maySpeak(connection, payload.byteLength, id)) return;
    this.#parts.publisher.publish(
      { sender: connection.member, id, event, payload },
      {
        stored: (name, seq) => {
          this.#parts.receipts.add(connection, { id: name, seq });
        },
        refused: (name, error) => {
          this.#refuse(connection, error, name);
        },
      },
    );
  }

  #sendMail(connection: Connection, { id, to, event, payload }: DirectFrame): void {
    if (!this.#maySpeak(connection, payload.byteLength, id)) return;
    let seq: number;
    try {
      seq = this.#parts.mail.put(to, { sender: connection.member, id, event, payload });
    } catch (thrown) {
      this.#refuse(connection, toSluiceError(thrown), id);
      return;
    }
    this.#parts.receipts.add(connection, { id, seq });
    for (const other of this.#parts.connections()) {
      if (other.member === to) this.#deliverMail(other);
    }
  }

  #acknowledge(connection: Connection, seq: number, mail: number): void {
    connection.controlBytes = 0;
    if (mail > connection.mailAcked && mail <= connection.mailSent) {
      connection.mailAcked = mail;
      this.#parts.mail.acknowledge(connection.member, mail);
      this.#deliverMail(connection);
    }
    this.#parts.fanOut.acknowledge(connection, seq);
    if (connection.presenceStale) this.#parts.attendance.refresh(connection);
    saveConnection(connection);
  }

  #show(connection: Connection, state: Raw): void {
    if (!this.#maySpeak(connection, state.byteLength)) return;
    connection.state = state.slice() as Raw;
    saveConnection(connection);
    this.#parts.roster.show(connection.member, connection.id, connection.state);
    this.#parts.attendance.changed();
  }

  #deliverMail(connection: Connection): void {
    if (connection.door !== "member" || connection.phase.kind === "greeting") return;
    const page = this.#parts.mail.pageFor(connection);
    if (page === undefined) return;
    connection.mailSent = page.last;
    this.#parts.control.send(connection, page.frame);
  }

  /** Whether a connection's rate allows it to say so much; if not, it has been told. */
  #maySpeak(connection: Connection, bytes: number, id?: string): boolean {
    const verdict = this.#parts.limiter.spend(connection, bytes);
    if (verdict === undefined) return true;
    const retryAfter = verdict.retryAfterMs / 1000;
    this.#refuse(connection, new SluiceError("rate_limited", { retryAfter }), id);
    if (verdict.isHopeless) this.#parts.end(connection, CLOSE.tooManyMessages);
    return false;
  }

  #refuse(connection: Connection, error: SluiceError, about?: string): void {
    if (error.code === "internal") this.#parts.report(error);
    this.#send(connection, {
      kind: "error",
      id: about ?? (error instanceof FrameError ? error.id : undefined),
      code: error.code,
      message: error.detail,
      retryAfterMs: error.retryAfter === undefined ? undefined : Math.ceil(error.retryAfter * 1000),
    });
    if (error instanceof FrameError && error.close !== undefined) {
      this.#parts.end(connection, error.close);
    }
  }

  #send(connection: Connection, frame: ServerFrame<Raw>): void {
    this.#parts.control.send(connection, encodeServerFrame(frame));
  }
}

function grantCredit({ credit }: HelloFrame): { messages: number; bytes: number } {
  return {
    messages: Math.min(credit?.messages ?? DEFAULT_CREDIT_MESSAGES, MAX_CREDIT_MESSAGES),
    bytes: Math.min(credit?.bytes ?? DEFAULT_CREDIT_BYTES, MAX_CREDIT_BYTES),
  };
}
