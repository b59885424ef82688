/**
 * Owns one device of a member: an application that follows the protocol's rules, and the claims that it may
 * make about what it is told. Refuses to know how frames travel.
 */
import { deepStrictEqual, fail, ok, strictEqual } from "node:assert/strict";
import type { Door } from "../../../durable-objects/delivery/connection.ts";
import type {
  ClientFrame,
  Credit,
  DeliverFrame,
  DirectFrame,
  ErrorFrame,
  GapFrame,
  MailFrame,
  PresenceDiffFrame,
  PublishedFrame,
  PublishFrame,
  ServerFrame,
  WelcomeFrame,
} from "../../../src/protocol/frames.ts";
import { CONTROL_WINDOW_BYTES } from "../../../src/protocol/limits.ts";
import { decodeValue, encodeValue } from "../../../src/protocol/value.ts";
import type { Link } from "./link.ts";
import type { Post } from "./post.ts";
import type { Truth } from "./truth.ts";

/** Direct messages, and bytes of frames other than deliveries, after which a client acknowledges (P54). */
const ACK_MAILS = 32;
const ACK_OTHER_BYTES = 65_536;

/** When a device acknowledges: after every frame, at half its window as the rules ask at least, or when told. */
export type Tempo = "eager" | "half" | "lazy";

/** What a device knows of the world it lives in. */
export interface Surroundings {
  readonly truth: Truth;
  readonly post: Post;
  /** The oldest position the room still stores. */
  readonly head: () => number;
}

export interface DeviceFacts {
  readonly name: string;
  readonly member: string;
  readonly door: Door;
  readonly credit: Credit;
  tempo: Tempo;
}

export class Device {
  readonly facts: DeviceFacts;
  readonly outbox = new Map<string, PublishFrame | DirectFrame>();
  /** Messages the room has confirmed, with their numbers. */
  readonly answered = new Map<string, { frame: PublishFrame | DirectFrame; seq: number }>();
  view = new Map<string, unknown>();
  link: Link | undefined;
  isWelcome = false;
  isLeaving = false;
  /** The last position that the application has; undefined before it ever joined. */
  position: { epoch: string; seq: number } | undefined;
  wasLimited = false;
  readonly #around: Surroundings;
  #state: unknown = null;
  #mail = 0;
  #count = 0;
  /** Joined with history: where that begins is only known by the first delivery. */
  #mayStartLater = false;
  #history: number | undefined;
  #awaitsEpochGap: string | undefined;
  /** Ids sent on this connection. */
  readonly #queued = new Set<string>();
  #credit: Credit;
  #unackedMessages = 0;
  #unackedBytes = 0;
  #unackedMails = 0;
  #otherBytes = 0;
  #hasNews = false;

  constructor(facts: DeviceFacts, around: Surroundings) {
    this.facts = facts;
    this.#around = around;
    this.#credit = facts.credit;
  }

  /** Has all there is, and said so when it was much: presence is left out for who takes nothing. */
  get isCurrent(): boolean {
    return this.hasAll && this.#otherBytes < CONTROL_WINDOW_BYTES / 2;
  }

  get hasAll(): boolean {
    const { truth, head } = this.#around;
    if (this.#awaitsEpochGap !== undefined) return false;
    // Nothing of the history that was asked for is stored, and nothing came since.
    const isEmpty = this.#mayStartLater && head() > truth.tail;
    return isEmpty || this.position?.seq === truth.tail;
  }

  /** Begins on a new connection: at once with what was not answered, or after the welcome. */
  begin(link: Link, { eagerly }: { eagerly: boolean }): void {
    this.link = link;
    this.isWelcome = false;
    this.#queued.clear();
    this.#acked();
    const resume = this.position;
    link.up.push({
      kind: "hello",
      member: this.facts.door === "member" ? this.facts.member : undefined,
      resume,
      mail: resume === undefined ? undefined : this.#mail,
      history: resume === undefined ? this.#history : undefined,
      state: encodeValue(this.#state),
      credit: this.facts.credit,
    });
    if (eagerly) this.retry();
  }

  /** Forgets everything that was received, as a page that is loaded anew. */
  forget(history: number | undefined): void {
    this.position = undefined;
    this.#mail = 0;
    this.#history = history;
    this.#around.post.forget(this.facts.name);
  }

  /** The connection is gone. */
  lose(): void {
    this.link = undefined;
    this.isWelcome = false;
  }

  say(payload: unknown, to?: string): void {
    this.#count += 1;
    const id = `${this.facts.name}-${this.#count}`;
    const message = { id, event: "chat", payload: encodeValue(payload) };
    const frame: PublishFrame | DirectFrame =
      to === undefined ? { kind: "publish", ...message } : { kind: "direct", to, ...message };
    this.outbox.set(id, frame);
    if (this.isWelcome) this.#send(frame);
  }

  show(state: unknown): void {
    this.#state = state;
    if (this.isWelcome) this.link?.up.push({ kind: "presence", state: encodeValue(state) });
  }

  /** Repeats a frame that may have been answered already. */
  repeat(frame: PublishFrame | DirectFrame): void {
    if (this.isWelcome) this.link?.up.push(frame);
  }

  /** Sends everything that was not answered. */
  retry(): void {
    for (const frame of this.outbox.values()) this.#send(frame);
  }

  ack(): void {
    if (!this.isWelcome || this.position === undefined || this.#awaitsEpochGap !== undefined)
      return;
    // Of a history that has not begun nothing was received, wherever it will begin (P55).
    const seq = this.#mayStartLater ? 0 : this.position.seq;
    const ack: ClientFrame = { kind: "ack", seq, mail: this.#mail };
    this.link?.up.push(ack);
    this.#acked();
  }

  /** Takes a frame of the room. */
  take(frame: ServerFrame, bytes: number): void {
    if (frame.kind === "deliver") this.#unackedBytes += bytes;
    else this.#otherBytes += bytes;
    this.#handle(frame);
    if (frame.kind === "deliver" || frame.kind === "mail") this.#hasNews = true;
    if (this.#isAckDue()) this.ack();
  }

  /** P51 and P54, or at once. */
  #isAckDue(): boolean {
    const { tempo } = this.facts;
    if (tempo === "lazy") return false;
    const { messages, bytes } = this.#credit;
    return (
      (tempo === "eager" && this.#hasNews) ||
      this.#unackedMessages * 2 >= messages ||
      this.#unackedBytes * 2 >= bytes ||
      this.#unackedMails >= ACK_MAILS ||
      this.#otherBytes >= ACK_OTHER_BYTES
    );
  }

  #acked(): void {
    this.#unackedMessages = 0;
    this.#unackedBytes = 0;
    this.#unackedMails = 0;
    this.#otherBytes = 0;
    this.#hasNews = false;
  }

  #handle(frame: ServerFrame): void {
    ok(this.isWelcome || frame.kind === "welcome", `${frame.kind} before the welcome`);
    switch (frame.kind) {
      case "welcome":
        this.#takeWelcome(frame);
        return;
      case "deliver":
        this.#takeMessages(frame);
        return;
      case "mail":
        this.#takeMail(frame);
        return;
      case "published":
        this.#takeReceipts(frame);
        return;
      case "error":
        this.#takeError(frame);
        return;
      case "presenceDiff":
        this.#takePresence(frame);
        return;
      case "gap":
        this.#takeGap(frame);
        return;
      case "latest":
      case "end":
      case "renewed":
        return fail(`${frame.kind} is nothing that rooms send unasked`);
    }
  }

  #send(frame: PublishFrame | DirectFrame): void {
    this.#queued.add(frame.id);
    this.link?.up.push(frame);
  }

  #takeWelcome({ epoch, head, credit, presence }: WelcomeFrame): void {
    ok(!this.isWelcome, "welcomed twice");
    this.isWelcome = true;
    this.#credit = credit;
    this.view = new Map(presence.members.map(({ member, state }) => [member, state]));
    strictEqual(this.view.size, presence.count);
    this.#awaitsEpochGap = undefined;
    if (this.position === undefined) {
      this.#mayStartLater = this.#history !== undefined;
      this.position = { epoch, seq: Math.max(0, head - (this.#history ?? 0)) };
    } else if (this.position.epoch !== epoch) {
      this.#awaitsEpochGap = epoch;
    }
    for (const [id, frame] of this.outbox) if (!this.#queued.has(id)) this.#send(frame);
  }

  #takeMessages({ first, entries }: DeliverFrame): void {
    strictEqual(this.#awaitsEpochGap, undefined, "another log without a word");
    const position = this.position ?? fail("delivered to a device that never joined");
    if (this.#mayStartLater && first > position.seq + 1) {
      ok(
        first <= this.#around.head(),
        `history from ${first}, although ${position.seq + 1} is kept`,
      );
      position.seq = first - 1;
    }
    this.#mayStartLater = false;
    strictEqual(first, position.seq + 1, "[I3] a hole or a repetition");
    for (const { sender, id, payload } of entries) {
      position.seq += 1;
      deepStrictEqual({ sender, id, payload }, this.#around.truth.at(position.seq));
    }
    this.#unackedMessages += entries.length;
  }

  #takeMail({ entries }: MailFrame): void {
    for (const { mail, sender, id, payload } of entries) {
      ok(mail > this.#mail, `mail ${mail} after ${this.#mail}`);
      this.#mail = mail;
      this.#unackedMails += 1;
      this.#around.post.receive(this.facts, { sender, id, payload });
    }
  }

  #takeReceipts({ published }: PublishedFrame): void {
    for (const { id, seq } of published) {
      const known = this.answered.get(id);
      const frame = this.outbox.get(id) ?? known?.frame ?? fail(`an answer to ${id}, never asked`);
      const isForgotten = frame.kind === "publish" && (known?.seq ?? 0) < this.#around.head();
      ok(known === undefined || seq === known.seq || isForgotten, `two answers to ${id}`);
      const said = { sender: this.facts.member, id, payload: decodeValue(frame.payload) };
      if (frame.kind === "publish") this.#around.truth.confirm(said, seq);
      else this.#around.post.confirm(said, frame.to);
      this.outbox.delete(id);
      this.answered.set(id, { frame, seq });
    }
  }

  #takeError({ id, code }: ErrorFrame): void {
    if (code === "rate_limited") {
      this.wasLimited = true;
      return;
    }
    ok(code === "mailbox_full" && id !== undefined, `refused with ${code}`);
    this.outbox.delete(id);
  }

  #takePresence({ scope, count, here, gone }: PresenceDiffFrame): void {
    if (scope === "all") this.view.clear();
    for (const { member, state } of here) this.view.set(member, state);
    for (const member of gone) this.view.delete(member);
    strictEqual(this.view.size, count, `[W6] sees ${[...this.view.keys()].join()} of ${count}`);
  }

  #takeGap({ reason, from, to }: GapFrame): void {
    const position = this.position ?? fail("a gap for a device that never joined");
    ok(to < this.#around.head(), `[I4] ${to} is said to be lost and is stored`);
    if (reason === "epoch") {
      ok(this.#awaitsEpochGap !== undefined, "a gap between epochs within one");
      strictEqual(from, 0);
      this.position = { epoch: this.#awaitsEpochGap, seq: to };
      this.#awaitsEpochGap = undefined;
      this.#mail = 0;
      return;
    }
    strictEqual(reason, "trimmed");
    strictEqual(this.#awaitsEpochGap, undefined);
    strictEqual(from, position.seq + 1, "[I4] a gap that begins elsewhere");
    ok(to >= from);
    position.seq = to;
    this.#mayStartLater = false;
  }
}
