/**
 * Owns a room: members who speak to each other over one log. Made from storage and sockets, the same
 * whether it is new or has slept. Refuses to know the platform's names for these things.
 *
 * Every frame is handled within one turn, so frames of one sender stay in order although handlers of
 * the platform interleave.
 */
import { CLOSE } from "../../src/protocol/close-codes.ts";
import { SluiceError, toSluiceError } from "../../src/protocol/errors.ts";
import { fatalFrame } from "../../src/protocol/frame-error.ts";
import type {
  AckFrame,
  DirectFrame,
  HelloFrame,
  PublishFrame,
  Raw,
} from "../../src/protocol/frames.ts";
import { BATCH_BYTES, BATCH_MS, MAX_CONNECTIONS_PER_MEMBER } from "../../src/protocol/limits.ts";
import { encodeValue } from "../../src/protocol/value.ts";
import type { Clock, Random } from "../../src/stream/clock.ts";
import { Audience } from "../delivery/audience.ts";
import type { Host, SpokenFrame } from "../delivery/host.ts";
import { type Connection, saveConnection } from "../delivery/connection.ts";
import type { SocketLike } from "../delivery/socket.ts";
import type { Turns } from "../delivery/spread.ts";
import type { DocumentContext, Documents } from "../document/documents.ts";
import { openLogWithDocuments } from "../document/open-log.ts";
import { DedupeWindow } from "../log/dedupe-window.ts";
import type { Log } from "../log/log.ts";
import { Mailbox } from "../log/mailbox.ts";
import type { Sql } from "../log/sql.ts";
import { Roster } from "../presence/roster.ts";
import { admitChanges } from "./admit-changes.ts";
import { Attendance } from "./attendance.ts";
import { figuresOf } from "./figures.ts";
import { Gate, type Spend } from "./gate.ts";
import { MailRoom } from "./mail-room.ts";
import { Publisher } from "../delivery/publisher.ts";
import { mergeState, parseFields } from "./merge-state.ts";
import { Receipts } from "./receipts.ts";
import { refresh, type Renewal } from "./renew.ts";
import type { RoomSettings } from "./settings.ts";

/** What a room is given from outside. */
export interface RoomContext {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: () => string;
  readonly settings: RoomSettings;
  /** Sockets that are open already: those of a room that has slept. */
  readonly sockets: readonly SocketLike[];
  /** When the runtime last answered a heartbeat on a socket, in milliseconds since 1970. */
  readonly lastBeat: (socket: SocketLike) => number | undefined;
  /** Takes an unexpected error; the client is told no more than that there was one. */
  readonly report: (error: SluiceError) => void;
  /** What a token for this room means; see {@link Renewal}. */
  readonly readToken?: Renewal["readToken"];
  readonly spend?: Spend;
  readonly turns?: Turns;
  readonly transact: DocumentContext["transact"];
  /** Called when messages were delivered, or a token was changed: the time to look again may be another one. */
  readonly onFlush?: () => void;
}

/** What a member shows who shows nothing. */
const NOTHING = encodeValue(null);

export class Room implements Host {
  readonly log: Log;
  readonly documents: Documents;
  readonly roster = new Roster();
  readonly audience: Audience;
  readonly publisher: Publisher;
  readonly dedupe: DedupeWindow;
  readonly mailbox: Mailbox;
  readonly gate: Gate;
  readonly #newId: () => string;
  readonly #renewal: Renewal;
  readonly #onChange: RoomContext["onFlush"];
  readonly #report: RoomContext["report"];
  readonly #receipts: Receipts;
  readonly #attendance: Attendance;
  readonly #mail: MailRoom;
  /** States shown so far, as far as those who showed them are here. */
  #shown = 0;

  constructor(context: RoomContext) {
    const { sql, clock, random, settings, newId, sockets, lastBeat, report } = context;
    this.#newId = newId;
    this.#onChange = context.onFlush;
    this.#report = report;
    const { retention } = settings;
    const { log, documents } = openLogWithDocuments(sql, { ...context, retention });
    this.log = log;
    this.documents = documents;
    this.mailbox = new Mailbox(sql, { clock });
    this.#mail = new MailRoom(this.mailbox, clock, (to, frame) =>
      this.audience.control.send(to, frame),
    );
    this.audience = new Audience({
      log: this.log,
      clock,
      random,
      newId,
      settings,
      lastBeat,
      report,
      host: this,
      turns: context.turns,
    });
    const { audience } = this;
    this.#renewal = { audience, readToken: context.readToken };
    this.gate = new Gate({
      audience,
      clock,
      rates: { messages: settings.messageRate, bytes: settings.byteRate },
      spend: context.spend,
    });
    this.#receipts = new Receipts(audience.control);
    this.dedupe = new DedupeWindow(this.log);
    this.publisher = new Publisher({
      log: this.log,
      dedupe: this.dedupe,
      audience,
      clock,
      batchMs: BATCH_MS,
      batchBytes: BATCH_BYTES,
      flushed: () => {
        if (!audience.isDelivering) this.#followUp();
      },
    });
    const members = audience.restore(sockets).filter(({ door }) => door === "member");
    for (const one of members.toSorted((a, b) => a.shownAs - b.shownAs)) {
      this.#shown = one.shownAs;
      this.roster.show(one.member, one.id, one.state ?? NOTHING);
    }
    // Everyone already knows who is here.
    this.roster.settle();
    this.#attendance = new Attendance({
      roster: this.roster,
      clock,
      audience: () => audience.connections(),
      memory: this.log.settings,
      send: (connection, frame) => audience.control.offer(connection, frame),
    });
  }

  /** Takes a message from a socket. */
  receive(socket: SocketLike, message: string | ArrayBuffer): void {
    this.audience.receive(socket, message);
    if (!this.audience.isDelivering) this.#receipts.flush();
  }

  /** Removes what is past its time. */
  sweep(): void {
    this.audience.sweep();
    this.mailbox.expire();
    this.log.trim();
  }

  /** When to sweep although nothing happens, in milliseconds since 1970; undefined: never. */
  nextSweepAt(): number | undefined {
    const dates = [this.audience.nextSweepAt(), this.log.trimAt, this.mailbox.expiresAt];
    const due = Math.min(...dates.map((date) => date ?? Number.POSITIVE_INFINITY));
    return Number.isFinite(due) ? due : undefined;
  }

  /** Figures for those who watch the room. */
  stats(): Readonly<Record<string, number>> {
    return figuresOf(this);
  }

  presence(): ReturnType<Attendance["snapshot"]> {
    return this.#attendance.snapshot();
  }

  onHello(connection: Connection, hello: HelloFrame): void {
    const { permit } = connection;
    if (permit.member !== undefined && (hello.member ?? permit.member) !== permit.member) {
      throw fatalFrame("forbidden", "The token decides the member's name.", CLOSE.notAllowed);
    }
    const member = permit.member ?? hello.member ?? this.#newId();
    if (this.roster.connectionsOf(member) >= MAX_CONNECTIONS_PER_MEMBER) {
      throw fatalFrame(
        "room_overloaded",
        `A member may have ${MAX_CONNECTIONS_PER_MEMBER} connections at most.`,
        CLOSE.overloaded,
      );
    }
    connection.member = member;
    const isShowing = hello.state === undefined || this.gate.isAllowed(connection, "presence");
    // A copy: a view would keep the whole frame alive.
    const state = isShowing ? (hello.state?.slice() as Raw | undefined) : undefined;
    connection.state = mergeState(state, parseFields(permit.presence));
    this.#enter(connection);
    // Numbers of another log's mail say nothing about this one's (P62).
    if (hello.mail !== undefined && hello.resume?.epoch === this.log.epoch) {
      // A number that was never given would silence what is still to come.
      connection.mailAcked = Math.min(hello.mail, this.mailbox.lastNumber);
      this.#mail.acknowledge(member, connection.mailAcked);
    }
    connection.mailSent = connection.mailAcked;
  }

  onServed(connection: Connection): void {
    this.#mail.deliver(connection);
    this.#attendance.changed();
  }

  onLive(connection: Connection): void {
    if (connection.presenceStale) this.#attendance.refresh(connection);
  }

  onAck(connection: Connection, { mail }: AckFrame): void {
    if (mail > connection.mailSent) {
      throw fatalFrame("bad_position", "An ack may not be beyond what was sent.");
    }
    if (mail > connection.mailAcked) {
      connection.mailAcked = mail;
      this.#mail.acknowledge(connection.member, mail);
      this.#mail.deliver(connection);
    }
    if (connection.presenceStale && connection.phase.kind === "live") {
      this.#attendance.refresh(connection);
    }
  }

  onFrame(connection: Connection, frame: SpokenFrame): void {
    switch (frame.kind) {
      case "publish":
        this.#publish(connection, frame);
        return;
      case "direct":
        this.#sendMail(connection, frame);
        return;
      case "presence":
        this.#show(connection, frame.state);
        return;
      case "leave":
        // What it said before is answered before it goes.
        this.publisher.flush();
        this.#receipts.flush();
        this.audience.end(connection, CLOSE.left);
        return;
      case "refresh":
        void this.#refresh(connection, frame.token);
        return;
    }
  }

  onRefused(connection: Connection): void {
    if (connection.phase.kind !== "ended" && connection.member !== "") {
      this.gate.maySpeak(connection, 0);
    }
  }

  /** Called while the next flush begins, or in a turn of its own: what fails here must not fail there. */
  onDelivered(): void {
    try {
      this.publisher.left();
      this.#followUp();
    } catch (thrown) {
      this.#report(toSluiceError(thrown));
    }
  }

  onGone(connection: Connection): void {
    this.#receipts.forget(connection);
    if (connection.door !== "member" || connection.member === "") return;
    this.roster.hide(connection.member, connection.id);
    this.#attendance.changed();
  }

  /** What follows from a flush waits until everybody has it. */
  #followUp(): void {
    this.#receipts.flush();
    this.#onChange?.();
    this.documents.foldWhenDue(this.log);
  }

  #publish(connection: Connection, { id, event, payload }: PublishFrame): void {
    if (!this.gate.maySend(connection, "publish", { id, bytes: payload.byteLength })) return;
    const message = { sender: connection.member, id, event, payload };
    try {
      admitChanges(this, [message]);
    } catch (thrown) {
      this.audience.refuse(connection, toSluiceError(thrown), id);
      return;
    }
    this.publisher.publish(message, {
      stored: (name, seq) => {
        this.#receipts.add(connection, { id: name, seq });
      },
      refused: (name, error) => {
        this.audience.refuse(connection, error, name);
      },
    });
  }

  #sendMail(connection: Connection, { id, to, event, payload }: DirectFrame): void {
    if (!this.gate.maySend(connection, "direct", { id, bytes: payload.byteLength })) return;
    let seq: number;
    try {
      seq = this.#mail.put(to, { sender: connection.member, id, event, payload });
    } catch (thrown) {
      this.audience.refuse(connection, toSluiceError(thrown), id);
      return;
    }
    this.#receipts.add(connection, { id, seq });
    for (const other of this.audience.connections()) {
      if (other.member === to) this.#mail.deliver(other);
    }
  }

  #show(connection: Connection, state: Raw): void {
    if (!this.gate.maySpeak(connection, state.byteLength)) return;
    if (!this.gate.isAllowed(connection, "presence")) return;
    try {
      const fields = parseFields(connection.permit.presence);
      connection.state = mergeState(state.slice() as Raw, fields);
    } catch (thrown) {
      this.audience.refuse(connection, toSluiceError(thrown));
      return;
    }
    this.#enter(connection);
    saveConnection(connection);
    this.#attendance.changed();
  }

  /** Takes a new token in place of the old one, which counts until then. */
  async #refresh(connection: Connection, token: string): Promise<void> {
    if (!this.gate.maySpeak(connection, token.length)) return;
    if (!(await refresh(connection, token, this.#renewal))) return;
    this.roster.show(connection.member, connection.id, connection.state ?? NOTHING);
    this.#attendance.changed();
    this.#onChange?.();
  }

  /** What a connection shows is newer than what all others show. */
  #enter(connection: Connection): void {
    this.#shown += 1;
    connection.shownAs = this.#shown;
    this.roster.show(connection.member, connection.id, connection.state ?? NOTHING);
  }
}
