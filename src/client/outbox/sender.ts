/**
 * Owns messages from the call that sends them to the server's answer: bounded, in order, sent again
 * until answered (P33), stored while they wait. Refuses to know the connection they go by.
 */
import type { DirectFrame, ErrorFrame, Published, PublishFrame } from "../../protocol/frames.ts";
import { ClientError } from "../errors.ts";
import type { Clock } from "../options.ts";
import type { OutboxOptions, RoomReceipt } from "../room/types.ts";
import type { Observable, Unsubscribe } from "../state.ts";
import { guard, Store, until } from "../store.ts";
import type { Draft, Entry } from "./entry.ts";
import { frameOf } from "./frame.ts";
import { Keeper } from "./keeper.ts";
import { Receipts } from "./receipts.ts";
import type { Outbox, OutboxMessage, QueueMember, QueueNews, QueueSeat } from "./types.ts";

const DEFAULT_MAX_MESSAGES = 1000;
const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;

/**
 * Messages on their way unanswered. Fewer than the refusals for too high a rate after which a server closes
 * the connection.
 */
const DEFAULT_IN_FLIGHT = 32;

/** What messages go out by. */
interface OutboxLine {
  send(frame: PublishFrame | DirectFrame): void;
}

type RefusedListener = (message: OutboxMessage, error: ClientError) => void;

export class Sender implements Outbox, QueueMember {
  readonly #options: OutboxOptions;
  readonly #clock: Clock;
  readonly #line: OutboxLine;
  readonly #keeper: Keeper;
  readonly #size = new Store(0);
  readonly #refused = new Set<RefusedListener>();
  /** In the order in which they are to be stored. */
  #queue: Entry[] = [];
  #bytes = 0;
  #lastOrder = 0;
  #isOpen = false;
  #restoring: Promise<void> | undefined;
  #isRestored = false;
  /** Among the tabs that have the same queue; undefined where there are none. */
  #seat: QueueSeat | undefined;
  /** Whether it is this tab that sends. */
  #isMyTurn = false;
  readonly #receipts = new Receipts();
  /** Set while the server wants to be left alone: calls the wait off. */
  #pause: (() => void) | undefined;
  /** Whether the server has refused something for its rate: one at a time from then on, until nothing waits. */
  #isSlow = false;
  #over: ClientError | undefined;

  constructor(
    options: OutboxOptions,
    parts: {
      readonly clock: Clock;
      /** Names the queue in storage. */
      readonly box: () => Promise<string>;
      readonly line: OutboxLine;
    },
  ) {
    this.#options = options;
    this.#clock = parts.clock;
    this.#line = parts.line;
    this.#keeper = new Keeper(options.storage, parts.box);
  }

  get size(): Observable<number> {
    return this.#size;
  }

  async drained(): Promise<void> {
    await this.restore();
    await until(this.#size, (size) => size === 0);
  }

  onRefused(listener: RefusedListener): Unsubscribe {
    this.#refused.add(listener);
    return () => {
      this.#refused.delete(listener);
    };
  }

  /** Takes up what former pages have left, and joins the other tabs. */
  async restore(): Promise<void> {
    this.#restoring ??= this.#restore();
    await this.#restoring;
  }

  async #restore(): Promise<void> {
    const seat = await this.#keeper.join(this);
    const messages = await this.#keeper.load();
    if (this.#over !== undefined) {
      seat?.leave();
      return;
    }
    this.#seat = seat;
    this.#isRestored = true;
    const own = this.#queue.filter(({ settle }) => settle !== undefined);
    this.#queue = this.#queue.filter(({ settle }) => settle === undefined);
    this.#merge(messages.filter(({ id }) => own.every(({ message }) => message.id !== id)));
    // What was given here meanwhile comes after all that, though a clock may not tell them apart.
    for (const entry of own) this.#keep({ ...entry, message: this.#number(entry.message) });
    seat?.tell({ kind: "joined" });
    if (this.#isOpen) seat?.stand();
    this.#changed();
  }

  /** Sends as soon as may be; resolves when the server has it for good. */
  send(draft: Draft): Promise<RoomReceipt> {
    return new Promise<RoomReceipt>((resolve, reject) => {
      const error = this.#over ?? this.#makeRoom(draft.payload.length);
      if (error !== undefined) {
        reject(error);
        return;
      }
      const message = this.#number(draft);
      this.#bytes += message.payload.length;
      this.#keep({ message, isSent: false, settle: { resolve, reject } });
      this.#changed();
    });
  }

  /** By the clock, so that what another page adds comes in between. */
  #number(draft: Omit<OutboxMessage, "order">): OutboxMessage {
    this.#lastOrder = Math.max(this.#lastOrder + 1, this.#clock.now());
    return { ...draft, order: this.#lastOrder };
  }

  #keep(entry: Entry): void {
    const { message } = entry;
    this.#queue.push(entry);
    this.#keeper.add(message);
    this.#seat?.tell({ kind: "added", message });
  }

  /** A connection stands: whatever was not answered is sent again, in order. */
  connected(): void {
    this.#isOpen = true;
    this.#seat?.stand();
    this.#sendAgain();
  }

  disconnected(): void {
    this.#isOpen = false;
    this.#isMyTurn = false;
    this.#seat?.rest();
    this.#pause?.();
    this.#pause = undefined;
  }

  turn(isMine: boolean): void {
    this.#isMyTurn = isMine;
    if (isMine) void this.#takeTurn();
  }

  isWaiting(): boolean {
    return this.#queue.length > 0;
  }

  heard(news: QueueNews): void {
    switch (news.kind) {
      case "added": {
        const receipt = this.#receipts.get(news.message.id);
        if (receipt === undefined) this.#merge([news.message]);
        else this.#tellReceipts([receipt]);
        break;
      }
      case "answered":
        this.#settle(news.published);
        break;
      case "refused":
        this.#discard(news.id, new ClientError(news.code, news.message));
        break;
      case "joined":
        this.#tellReceipts();
        return;
      case "sender":
        this.#tellOwn();
        return;
      case "ask":
      case "here":
        return;
    }
    this.#changed();
  }

  /** The server has these for good. */
  answered(published: readonly Published[]): void {
    this.#settle(published);
    this.#keeper.remove(published.map(({ id }) => id));
    this.#seat?.tell({ kind: "answered", published });
    this.#changed();
  }

  /** The server has not taken a message, for good or for now. */
  refused({ id, code, message, retryAfterMs }: ErrorFrame): void {
    const entry = this.#queue.find((candidate) => candidate.message.id === id);
    if (entry === undefined) return;
    if (retryAfterMs === undefined) {
      this.#drop(entry, new ClientError(code, message));
      this.#changed();
      return;
    }
    entry.isSent = false;
    this.#isSlow = true;
    this.#pause?.();
    // Nothing new until then: it would overtake (P34).
    this.#pause = this.#clock.after(retryAfterMs, () => {
      this.#pause = undefined;
      this.#pump();
    });
  }

  /** Nothing is sent any more. What is stored stays there for another time. */
  finish(error: ClientError): void {
    this.disconnected();
    this.#over = error;
    for (const { settle } of this.#queue) settle?.reject(error);
    this.#queue = [];
    this.#seat?.leave();
    this.#changed();
  }

  /** What its former holder left is in the storage. */
  async #takeTurn(): Promise<void> {
    this.#isRestored = false;
    const messages = await this.#keeper.load();
    this.#isRestored = true;
    if (!this.#isMyTurn) return;
    this.#merge(messages);
    this.#tellReceipts();
    this.#sendAgain();
    this.#changed();
  }

  #sendAgain(): void {
    for (const entry of this.#queue) entry.isSent = false;
    this.#pump();
  }

  #pump(): void {
    const isOurs = this.#seat === undefined || this.#isMyTurn;
    if (!this.#isOpen || this.#pause !== undefined || !this.#isRestored || !isOurs) return;
    const limit = this.#isSlow ? 1 : (this.#options.inFlight ?? DEFAULT_IN_FLIGHT);
    let sent = 0;
    for (const entry of this.#queue) if (entry.isSent) sent += 1;
    for (const entry of this.#queue) {
      if (sent >= limit) return;
      if (entry.isSent) continue;
      entry.isSent = true;
      sent += 1;
      this.#line.send(frameOf(entry.message));
    }
  }

  #changed(): void {
    if (this.#queue.length === 0) this.#isSlow = false;
    this.#pump();
    this.#size.set(this.#queue.length);
  }

  /** The error if there is no room for so many bytes more. */
  #makeRoom(bytes: number): ClientError | undefined {
    const { maxMessages, maxBytes, overflow } = this.#options;
    const isFull = (): boolean =>
      this.#queue.length >= (maxMessages ?? DEFAULT_MAX_MESSAGES) ||
      this.#bytes + bytes > (maxBytes ?? DEFAULT_MAX_BYTES);
    const full = new ClientError("outbox_full", "Too many messages wait.");
    while (isFull()) {
      const oldest = this.#queue.find(({ isSent }) => !isSent);
      if (overflow !== "drop-oldest" || oldest === undefined) return full;
      this.#drop(oldest, full);
    }
    return undefined;
  }

  #drop({ message }: Entry, error: ClientError): void {
    const { id } = message;
    this.#discard(id, error);
    this.#keeper.remove([id]);
    this.#seat?.tell({ kind: "refused", id, code: error.code, message: error.message });
  }

  #discard(id: string, error: ClientError): void {
    for (const { message, settle } of this.#remove(id)) {
      settle?.reject(error);
      for (const listener of this.#refused) {
        guard(() => {
          listener(message, error);
        });
      }
    }
  }

  #settle(published: readonly RoomReceipt[]): void {
    for (const receipt of published) {
      const { id, seq } = receipt;
      const settled = this.#remove(id);
      for (const { settle } of settled) settle?.resolve({ id, seq });
      // Whoever keeps a message also sees to it that it goes: adding it may take longer than sending it.
      if (settled.some(({ settle }) => settle !== undefined)) this.#keeper.remove([id]);
      this.#receipts.add(receipt);
    }
  }

  /** Adds messages of other tabs and former pages, each where its time puts it. */
  #merge(messages: readonly OutboxMessage[]): void {
    const known = new Set(this.#queue.map(({ message }) => message.id));
    for (const message of messages) {
      const { id, order, payload } = message;
      if (this.#receipts.get(id) !== undefined) this.#keeper.remove([id]);
      else if (!known.has(id)) {
        this.#queue.push({ message, isSent: false, settle: undefined });
        this.#bytes += payload.length;
        this.#lastOrder = Math.max(this.#lastOrder, order);
      }
    }
    this.#queue.sort((a, b) => a.message.order - b.message.order);
  }

  /** For whoever has read of them before they were removed. */
  #tellReceipts(published = this.#receipts.all): void {
    if (this.#isMyTurn && published.length > 0) this.#seat?.tell({ kind: "answered", published });
  }

  /** For whoever has not heard of it. */
  #tellOwn(): void {
    for (const { message, settle } of this.#queue) {
      if (settle !== undefined) this.#seat?.tell({ kind: "added", message });
    }
  }

  /** The same message may have been given here twice. */
  #remove(id: string): readonly Entry[] {
    const removed = this.#queue.filter(({ message }) => message.id === id);
    if (removed.length === 0) return removed;
    this.#queue = this.#queue.filter(({ message }) => message.id !== id);
    for (const { message } of removed) this.#bytes -= message.payload.length;
    return removed;
  }
}
