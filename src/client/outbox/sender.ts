/**
 * Owns messages from the call that sends them to the server's answer: bounded, in order, sent again
 * until answered (P33), stored while they wait. Refuses to know the connection they go by.
 */
import type { ErrorFrame, Published } from "../../protocol/frames.ts";
import { ClientError } from "../errors.ts";
import type { OutboxOptions, RoomReceipt } from "../room/types.ts";
import type { Unsubscribe } from "../state.ts";
import { guard, Store, until } from "../store.ts";
import type { Draft, Entry, SenderParts } from "./entry.ts";
import { frameOf } from "./frame.ts";
import { Keeper } from "./keeper.ts";
import type { Outbox, OutboxMessage } from "./types.ts";

const DEFAULT_MAX_MESSAGES = 1000;
const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;

/**
 * Messages on their way unanswered. Fewer than the refusals for too high a rate after which a server closes
 * the connection.
 */
const DEFAULT_IN_FLIGHT = 32;

type RefusedListener = (message: OutboxMessage, error: ClientError) => void;

export class Sender implements Outbox {
  readonly #options: OutboxOptions;
  readonly #parts: SenderParts;
  protected readonly keeper: Keeper;
  readonly size = new Store(0);
  readonly #refused = new Set<RefusedListener>();
  /** In the order in which they are to be stored. */
  protected queue: readonly Entry[] = [];
  #lastOrder = 0;
  protected isOpen = false;
  /** Whether everything that goes first is known, and it is this queue's turn. */
  protected isReady = false;
  #restoring: Promise<void> | undefined;
  /** Set while the server wants to be left alone: calls the wait off. */
  #pause: (() => void) | undefined;
  /** Whether the server has refused something for its rate: one at a time from then on, until nothing waits. */
  #isSlow = false;
  protected over: ClientError | undefined;
  /** Whether something waited when it was over. */
  #isCutShort = false;

  constructor(options: OutboxOptions, parts: SenderParts) {
    this.#options = options;
    this.#parts = parts;
    this.keeper = new Keeper(options.storage, () => this.box(parts));
  }

  async drained(): Promise<void> {
    await this.restore();
    await until(this.size, (size) => size === 0);
    if (this.#isCutShort) throw this.over;
  }

  onRefused(listener: RefusedListener): Unsubscribe {
    this.#refused.add(listener);
    return () => {
      this.#refused.delete(listener);
    };
  }

  /** Takes up what former pages have left. */
  async restore(): Promise<void> {
    await (this.#restoring ??= this.load());
  }

  /** Sends as soon as may be; resolves when the server has it for good. */
  async send(draft: Draft): Promise<RoomReceipt> {
    const error = this.over ?? this.#makeRoom(draft.payload.length);
    if (error !== undefined) throw error;
    const settle = Promise.withResolvers<RoomReceipt>();
    this.keep(draft, settle);
    this.changed();
    return await settle.promise;
  }

  /** A connection stands: whatever was not answered is sent again, in order. */
  opened(): void {
    this.isOpen = true;
    this.sendAgain();
  }

  lost(): void {
    this.isOpen = false;
    this.#pause?.();
    this.#pause = undefined;
  }

  /** The server has these for good. */
  answered(published: readonly Published[]): void {
    for (const { id, seq } of published) {
      for (const { settle } of this.remove(id)) settle?.resolve({ id, seq });
    }
    this.keeper.remove(published.map(({ id }) => id));
    this.changed();
  }

  /** The server has not taken a message, for good or for now. */
  refused({ id, code, message, retryAfterMs }: ErrorFrame): void {
    const entry = this.queue.find((candidate) => candidate.message.id === id);
    if (entry === undefined) return;
    if (retryAfterMs === undefined) {
      this.drop(entry, new ClientError(code, message));
      this.changed();
      return;
    }
    entry.isSent = false;
    this.#isSlow = true;
    this.#pause?.();
    // Nothing new until then: it would overtake (P34).
    this.#pause = this.#parts.context.clock.after(retryAfterMs, () => {
      this.#pause = undefined;
      this.#pump();
    });
  }

  /** Nothing is sent any more. What is stored stays there for another time. */
  finish(error: ClientError): void {
    this.lost();
    this.over = error;
    this.#isCutShort ||= this.queue.length > 0;
    for (const { settle } of this.queue) settle?.reject(error);
    this.queue = [];
    this.changed();
  }

  /** Names the queue in storage. */
  protected box({ box }: SenderParts): Promise<string> {
    return Promise.resolve(box);
  }

  /** Puts what a former page left before everything else. */
  protected async load(): Promise<void> {
    const messages = await this.keeper.load();
    if (this.over !== undefined) return;
    const own = this.queue;
    this.queue = [];
    for (const message of messages.toSorted((a, b) => a.order - b.order)) {
      if (own.every((entry) => entry.message.id !== message.id)) this.put(message);
    }
    this.queue = [...this.queue, ...own];
    this.isReady = true;
    this.changed();
  }

  /** Takes a message in, to be kept until it is answered. */
  protected keep(draft: Omit<OutboxMessage, "order">, settle: Entry["settle"]): OutboxMessage {
    // By the clock, so that what another page adds comes in between.
    const order = Math.max(this.#lastOrder + 1, this.#parts.context.clock.now());
    const message = { ...draft, order };
    this.put(message, settle);
    this.keeper.add(message);
    return message;
  }

  protected put(message: OutboxMessage, settle?: Entry["settle"]): void {
    this.queue = [...this.queue, { message, isSent: false, settle }];
    this.#lastOrder = Math.max(this.#lastOrder, message.order);
  }

  /** The same message may have been given here twice. */
  protected remove(id: string): readonly Entry[] {
    const removed = this.queue.filter(({ message }) => message.id === id);
    this.queue = this.queue.filter(({ message }) => message.id !== id);
    return removed;
  }

  /** A message will not be sent any more. */
  protected drop({ message }: Entry, error: ClientError): void {
    this.discard(message.id, error);
    this.keeper.remove([message.id]);
  }

  protected discard(id: string, error: ClientError): readonly Entry[] {
    const removed = this.remove(id);
    for (const { message, settle } of removed) {
      settle?.reject(error);
      for (const listener of this.#refused) {
        guard(() => {
          listener(message, error);
        });
      }
    }
    return removed;
  }

  protected sendAgain(): void {
    for (const entry of this.queue) entry.isSent = false;
    this.#pump();
  }

  protected changed(): void {
    if (this.queue.length === 0) this.#isSlow = false;
    this.#pump();
    this.size.set(this.queue.length);
  }

  #pump(): void {
    if (!this.isOpen || this.#pause !== undefined || !this.isReady) return;
    const limit = this.#isSlow ? 1 : (this.#options.inFlight ?? DEFAULT_IN_FLIGHT);
    let room = limit - this.queue.filter(({ isSent }) => isSent).length;
    for (const entry of this.queue) {
      if (entry.isSent || room <= 0) continue;
      entry.isSent = true;
      room -= 1;
      this.#parts.line.send(frameOf(entry.message));
    }
  }

  /** The error if there is no room for so many bytes more. */
  #makeRoom(bytes: number): ClientError | undefined {
    const {
      maxMessages = DEFAULT_MAX_MESSAGES,
      maxBytes = DEFAULT_MAX_BYTES,
      overflow,
    } = this.#options;
    const isFull = (): boolean =>
      this.queue.length >= maxMessages ||
      this.queue.reduce((sum, { message }) => sum + message.payload.length, bytes) > maxBytes;
    const full = new ClientError("outbox_full", "The outbox is full.");
    while (isFull()) {
      const oldest = this.queue.find(({ isSent }) => !isSent);
      if (overflow !== "drop-oldest" || oldest === undefined) return full;
      this.drop(oldest, full);
    }
    return undefined;
  }
}
