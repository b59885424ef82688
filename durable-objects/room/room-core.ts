/**
 * Owns a room's conversation: what each frame of a connection does. Refuses to know the platform:
 * sockets, storage and time are handed in, and everything runs within one turn, so that frames of one
 * sender stay in order.
 */
import { CLOSE, type CloseEntry } from "../../src/protocol/close-codes.ts";
import { encodeServerFrame } from "../../src/protocol/encode-server-frame.ts";
import { SluiceError, toSluiceError } from "../../src/protocol/errors.ts";
import { FrameError, fatalFrame } from "../../src/protocol/frame-error.ts";
import type {
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
import type { Connection } from "../delivery/connection.ts";
import { saveConnection } from "../delivery/connection.ts";
import type { RoomParts } from "./room-parts.ts";

const NIL = encodeValue(null);

export class RoomCore {
  readonly #parts: RoomParts;

  constructor(parts: RoomParts) {
    this.#parts = parts;
  }

  /** Takes a message from a socket. Whatever is wrong with it harms its sender only (W4). */
  receive(connection: Connection, message: string | ArrayBuffer): void {
    try {
      this.#handle(connection, message);
    } catch (thrown) {
      this.#refuse(connection, thrown);
    }
  }

  /** A socket is gone, however it went. */
  disconnect(connection: Connection): void {
    const { roster, fanOut, attendance, limiter, connections } = this.#parts;
    connections.delete(connection);
    fanOut.remove(connection);
    limiter.forget(connection);
    if (connection.member === "" || connection.door === "viewer") return;
    roster.hide(connection.member, connection.id);
    attendance.changed();
  }

  /** Ends a connection and forgets it, with the code that tells the client what to do next. */
  close(connection: Connection, { code, meaning }: CloseEntry): void {
    this.disconnect(connection);
    connection.socket.close(code, meaning);
  }

  #handle(connection: Connection, message: string | ArrayBuffer): void {
    const frame = parseClientFrame(message);
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
        this.#parts.limiter.spend(connection, frame.state.byteLength);
        this.#show(connection, frame.state);
        return;
      case "leave":
        this.close(connection, CLOSE.left);
        return;
    }
  }

  #greet(connection: Connection, hello: HelloFrame): void {
    const { log, fanOut, roster, attendance, newId } = this.#parts;
    connection.credit = {
      messages: Math.min(hello.credit?.messages ?? DEFAULT_CREDIT_MESSAGES, MAX_CREDIT_MESSAGES),
      bytes: Math.min(hello.credit?.bytes ?? DEFAULT_CREDIT_BYTES, MAX_CREDIT_BYTES),
    };
    if (connection.door === "member") {
      if (
        connection.fixedMember !== undefined &&
        hello.member !== undefined &&
        hello.member !== connection.fixedMember
      ) {
        throw new FrameError("not_allowed", {
          detail: "The token decides the member's name.",
          close: CLOSE.notAllowed,
        });
      }
      const member = connection.fixedMember ?? hello.member ?? newId();
      if (roster.connectionsOf(member) >= MAX_CONNECTIONS_PER_MEMBER) {
        throw new FrameError("room_overloaded", {
          detail: `A member may have ${MAX_CONNECTIONS_PER_MEMBER} connections at most.`,
          close: CLOSE.overloaded,
        });
      }
      connection.member = member;
      connection.state = hello.state;
      roster.show(member, connection.id, hello.state ?? NIL);
    }
    const from =
      hello.resume ?? (hello.history === undefined ? "now" : { newest: hello.history });
    const start = log.resolve(from);
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
    connection.mailAcked = hello.mail ?? 0;
    connection.mailSent = connection.mailAcked;
    fanOut.begin(connection, start.kind === "gap" ? start.to : start.seq);
    this.#deliverMail(connection);
    saveConnection(connection);
    attendance.changed();
  }

  #publish(connection: Connection, { id, event, payload }: PublishFrame): void {
    const { limiter, publisher } = this.#parts;
    this.#withId(id, () => {
      limiter.spend(connection, payload.byteLength);
    });
    publisher.publish(
      { sender: connection.member, id, event, payload },
      {
        stored: (name, seq) => {
          this.#parts.receipts.stored(connection, name, seq);
        },
        refused: (name, error) => {
          this.#refuse(connection, error, name);
        },
      },
    );
  }

  #sendMail(connection: Connection, { id, to, event, payload }: DirectFrame): void {
    const { limiter, mail, receipts } = this.#parts;
    const number = this.#withId(id, () => {
      limiter.spend(connection, payload.byteLength);
      return mail.put(to, { sender: connection.member, id, event, payload });
    });
    receipts.stored(connection, id, number);
    for (const other of this.#parts.connections) {
      if (other.member === to && other.door === "member") this.#deliverMail(other);
    }
  }

  #acknowledge(connection: Connection, seq: number, mail: number): void {
    connection.controlBytes = 0;
    if (mail > connection.mailAcked && mail <= connection.mailSent) {
      connection.mailAcked = mail;
      this.#parts.mail.acknowledge(connection.member, mail);
    }
    this.#parts.fanOut.acknowledge(connection, seq);
    this.#deliverMail(connection);
    if (connection.presenceStale) this.#parts.attendance.refresh(connection);
    saveConnection(connection);
  }

  #show(connection: Connection, state: Raw): void {
    // A copy: the frame it came in is otherwise kept alive by it.
    const kept = state.slice() as Raw;
    connection.state = kept;
    saveConnection(connection);
    this.#parts.roster.show(connection.member, connection.id, kept);
    this.#parts.attendance.changed();
  }

  #deliverMail(connection: Connection): void {
    if (connection.door !== "member" || connection.phase.kind === "greeting") return;
    const { frame, last } = this.#parts.mail.pageFor(connection);
    if (frame === undefined) return;
    connection.mailSent = last;
    this.#parts.control.send(connection, frame);
  }

  #withId<T>(id: string, attempt: () => T): T {
    try {
      return attempt();
    } catch (thrown) {
      const { code, detail, retryAfter } = toSluiceError(thrown);
      throw Object.assign(
        new FrameError(code, {
          id,
          detail,
          close: thrown instanceof FrameError ? thrown.close : undefined,
        }),
        { retryAfter },
      );
    }
  }

  #refuse(connection: Connection, thrown: unknown, about?: string): void {
    const error = toSluiceError(thrown);
    const id = about ?? (error instanceof FrameError ? error.id : undefined);
    if (error.code === "internal") this.#parts.report(error);
    this.#send(connection, {
      kind: "error",
      id,
      code: error.code,
      message: error.detail,
      retryAfterMs: error.retryAfter === undefined ? undefined : error.retryAfter * 1000,
    });
    if (error instanceof FrameError && error.close !== undefined) {
      this.close(connection, error.close);
    }
  }

  #send(connection: Connection, frame: ServerFrame<Raw>): void {
    this.#parts.control.send(connection, encodeServerFrame(frame));
  }
}

/** An error that a message's sender may see and that leaves the connection open. */
export function refusal(code: SluiceError["code"], retryAfterMs?: number): SluiceError {
  return new SluiceError(
    code,
    retryAfterMs === undefined ? {} : { retryAfter: retryAfterMs / 1000 },
  );
}
