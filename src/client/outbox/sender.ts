/**
 * Owns messages from the call that sends them to the server's answer: bounded, in order, sent again
 * until answered (P33), stored while they wait. Refuses to know the connection they go by.
 */
import type {
  DirectFrame,
  ErrorFrame,
  Published,
  PublishFrame,
  Raw,
} from "../../protocol/frames.ts";
import { ClientError } from "../errors.ts";
import type { Clock } from "../options.ts";
import type { OutboxOptions, RoomReceipt } from "../room/types.ts";
import type { Observable, Unsubscribe } from "../state.ts";
import { guard, Store, until } from "../store.ts";
import { Keeper } from "./keeper.ts";
import type { Outbox, OutboxMessage } from "./types.ts";

const DEFAULT_MAX_MESSAGES = 1000;
const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;

/**
 * Messages on their way unanswered. Fewer than the refusals for too high a rate after which a server closes
 * the connection.
 */
const DEFAULT_IN_FLIGHT = 32;

/** What a message is to be. */
export interface Draft {
  readonly id: string;
  readonly to: string | undefined;
  readonly event: string;
  readonly payload: Raw;
}

/** What messages go out by. */
interface OutboxLine {
  send(frame: PublishFrame | DirectFrame): void;
}

interface Entry {
  readonly message: OutboxMessage;
  /** Whether it is on its way on the connection of now. */
  isSent: boolean;
  readonly resolve: (receipt: RoomReceipt) => void;
  readonly reject: (error: ClientError) => void;
}

type RefusedListener = (message: OutboxMessage, error: ClientError) => void;

export class Sender implements Outbox {
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
  #isRestored = false;
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
      readonly box: string;
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

  /** Puts what a former page left before everything else. */
  async restore(): Promise<void> {
    const messages = await this.#keeper.load();
    if (this.#isRestored || this.#over !== undefined) return;
    this.#isRestored = true;
    const known = new Set(this.#queue.map(({ message }) => message.id));
    const restored = messages
      .filter(({ id }) => !known.has(id))
      .toSorted((a, b) => a.order - b.order)
      .map((message) => ({ message, isSent: false, resolve: () => {}, reject: () => {} }));
    this.#queue.unshift(...restored);
    for (const { message } of restored) this.#bytes += message.payload.length;
    this.#lastOrder = Math.max(this.#lastOrder, restored.at(-1)?.message.order ?? 0);
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
      // By the clock, so that what another page adds comes in between.
      this.#lastOrder = Math.max(this.#lastOrder + 1, this.#clock.now());
      const message = { ...draft, order: this.#lastOrder };
      this.#queue.push({ message, isSent: false, resolve, reject });
      this.#bytes += message.payload.length;
      this.#keeper.add(message);
      this.#changed();
    });
  }

  /** A connection stands: whatever was not answered is sent again, in order. */
  connected(): void {
    this.#isOpen = true;
    for (const entry of this.#queue) entry.isSent = false;
    this.#pump();
  }

  disconnected(): void {
    this.#isOpen = false;
    this.#pause?.();
    this.#pause = undefined;
  }

  /** The server has these for good. */
  answered(published: readonly Published[]): void {
    for (const { id, seq } of published) this.#remove(id)?.resolve({ id, seq });
    this.#keeper.remove(published.map(({ id }) => id));
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
    for (const { reject } of this.#queue) reject(error);
    this.#queue = [];
    this.#changed();
  }

  #pump(): void {
    if (!this.#isOpen || this.#pause !== undefined || !this.#isRestored) return;
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
    this.#remove(message.id)?.reject(error);
    this.#keeper.remove([message.id]);
    for (const listener of this.#refused) {
      guard(() => {
        listener(message, error);
      });
    }
  }

  #remove(id: string): Entry | undefined {
    const index = this.#queue.findIndex(({ message }) => message.id === id);
    if (index === -1) return undefined;
    const [entry] = this.#queue.splice(index, 1);
    this.#bytes -= entry?.message.payload.length ?? 0;
    return entry;
  }
}

function frameOf({ id, to, event, payload }: OutboxMessage): PublishFrame | DirectFrame {
  // Encoded here, or by an earlier page of this application.
  const raw = payload as Raw;
  return to === undefined
    ? { kind: "publish", id, event, payload: raw }
    : { kind: "direct", id, to, event, payload: raw };
}
