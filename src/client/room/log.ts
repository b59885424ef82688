/**
 * Owns a room's log as this client has it: what arrived, what was consumed, where to go on, what credit
 * is owed. Refuses to know the connection.
 */
import type {
  DeliverFrame,
  Entry,
  GapFrame,
  HelloFrame,
  MailFrame,
  WelcomeFrame,
} from "../../protocol/frames.ts";
import { formatPosition, parsePosition } from "../../protocol/position.ts";
import { ClientError } from "../errors.ts";
import { check } from "../flow/check.ts";
import { BoundedInbox, type InboxBounds } from "./bounded-inbox.ts";
import { CreditAccount } from "./credit.ts";
import type { RoomCommand } from "./transport.ts";
import type { RoomItem, RoomOptions } from "./types.ts";

/** A place in the room's log and mail, and what it costs to get there from the one before. */
interface Mark {
  readonly epoch: string;
  /** Undefined before the first welcome. */
  readonly seq: number | undefined;
  readonly mail: number;
  /** Bytes of the frames that end here; undefined for what is no delivery. */
  readonly bytes: number | undefined;
}

/** What a log needs of the connection. */
interface RoomLine {
  send(command: RoomCommand): void;
  caughtUp(): void;
}

export class RoomLog implements InboxBounds<RoomItem, Mark> {
  readonly inbox = new BoundedInbox<RoomItem, Mark>(this);
  readonly #options: RoomOptions;
  readonly #line: RoomLine;
  readonly #credit = new CreditAccount();
  /** The first reader has come. */
  readonly start: () => void;
  /** Everything up to here has arrived. */
  #received: Mark;
  /** Everything up to here is consumed. */
  #consumed: Mark;
  #head = 0;
  /** The mail number of the last ack. */
  #acknowledgedMail = 0;

  constructor(options: RoomOptions, line: RoomLine, start: () => void) {
    this.#options = options;
    this.#line = line;
    this.start = start;
    this.#received = startOf(options);
    this.#consumed = this.#received;
  }

  consumed(mark: Mark): void {
    this.#consumed = mark;
    if (mark.epoch !== this.#received.epoch) return;
    const isDue = mark.bytes !== undefined && this.#credit.consumed(mark.bytes);
    // Mail is given to nobody else once it is acked, and again to this member until then: soon.
    const isMailDue = this.inbox.isEmpty && mark.mail > this.#acknowledgedMail;
    if (isDue || isMailDue) this.acknowledge();
  }

  isTooMuch(count: number): boolean {
    return this.#credit.isShort(count);
  }

  replaceLost(first: Mark, last: Mark): RoomItem {
    const position = positionOf(last) ?? "";
    return { kind: "gap", reason: "unread", from: positionOf(first) ?? "", to: position, position };
  }

  /** After what is consumed; undefined before there is anything. */
  get position(): string | undefined {
    return positionOf(this.#consumed);
  }

  get mail(): number {
    return this.#consumed.mail;
  }

  /** Where to go on. What nobody has begun with comes again, so that it is held once. */
  rewind(): Pick<HelloFrame, "resume" | "mail" | "history"> {
    this.#received = this.inbox.rewind() ?? this.#consumed;
    const { epoch, seq, mail } = this.#received;
    return seq === undefined
      ? { resume: undefined, mail: undefined, history: this.#options.history }
      : { resume: { epoch, seq }, mail, history: undefined };
  }

  /** A connection begins. */
  begin({ epoch, head, credit }: WelcomeFrame): void {
    this.#head = head;
    this.#credit.begin(credit);
    const before = this.#received;
    if (before.epoch === epoch && before.seq !== undefined) return;
    // Of another epoch, a gap says what is lost; who comes for the first time has nothing to lose, and a
    // place from now on: mail counts only beside one (P62).
    const isNew = before.seq === undefined;
    const seq = isNew ? Math.max(0, head - (this.#options.history ?? 0)) : 0;
    this.#received = { epoch, seq, mail: 0, bytes: undefined };
    this.#acknowledgedMail = 0;
    if (this.inbox.isEmpty) this.#consumed = this.#received;
  }

  deliver({ first, entries }: DeliverFrame, bytes: number): void {
    for (const [index, entry] of entries.entries()) {
      const seq = first + index;
      if (seq <= (this.#received.seq ?? 0)) continue;
      // The server counts a frame until all of it is acked, so its last message weighs as much as all.
      const weight = index === entries.length - 1 ? bytes : 0;
      this.#arrive({ ...this.#received, seq, bytes: weight }, "message", seq, entry);
    }
    this.#checkHead();
  }

  receiveMail({ entries }: MailFrame): void {
    for (const { mail, ...entry } of entries) {
      if (mail <= this.#received.mail) continue;
      this.#arrive({ ...this.#received, mail, bytes: undefined }, "direct", mail, entry);
    }
  }

  skip({ reason, from, to }: GapFrame): void {
    const { epoch } = this.#received;
    const position = formatPosition({ epoch, seq: to });
    const mark: Mark = { ...this.#received, seq: to, bytes: undefined };
    this.#received = mark;
    const first = formatPosition({ epoch, seq: from });
    this.inbox.push([{ kind: "gap", reason, from: first, to: position, position }], mark);
    this.#checkHead();
  }

  /** A frame that is no delivery has so many bytes. */
  heard(bytes: number): void {
    if (this.#credit.heard(bytes)) this.acknowledge();
  }

  /** Tells the server what is consumed, which lets more come. */
  acknowledge(): void {
    const { epoch, seq, mail } = this.#consumed;
    // Numbers of another epoch mean nothing now.
    const isCurrent = epoch === this.#received.epoch;
    this.#credit.settle();
    this.#acknowledgedMail = isCurrent ? mail : 0;
    this.#line.send({
      kind: "ack",
      seq: isCurrent ? (seq ?? 0) : 0,
      mail: this.#acknowledgedMail,
    });
  }

  /** Nothing follows; without an error, readers end at once. */
  finish(error: ClientError | undefined): void {
    if (error === undefined) this.inbox.close();
    else this.inbox.finish(error);
  }

  #arrive(mark: Mark, kind: "message" | "direct", seq: number, entry: Entry): void {
    this.#received = mark;
    this.#credit.arrived(mark.bytes ?? 0);
    const { event, payload: data } = entry;
    const position = positionOf(mark) ?? "";
    const item = check(this.#options.schema, { event, data, position }, (payload): RoomItem => ({
      ...entry,
      kind,
      payload,
      seq,
      position,
    }));
    this.inbox.push(item, mark);
  }

  #checkHead(): void {
    if ((this.#received.seq ?? 0) >= this.#head) this.#line.caughtUp();
  }
}

function positionOf({ epoch, seq }: Mark): string | undefined {
  return seq === undefined ? undefined : formatPosition({ epoch, seq });
}

function startOf({ after, mail }: RoomOptions): Mark {
  if (after === undefined) return { epoch: "", seq: undefined, mail: 0, bytes: undefined };
  const position = parsePosition(after);
  if (position === undefined) {
    throw new ClientError("bad_position", "`after` is no position.");
  }
  return { ...position, mail: mail ?? 0, bytes: undefined };
}
