/**
 * Owns the way of a message into the log: once (W3), in order, durable before visible (I2), many in
 * one row under load. Refuses to know sockets: what came of a message is told to whoever asked.
 */
import { encodeEntry } from "../../src/protocol/encode-server-frame.ts";
import { concat } from "../../src/protocol/bytes.ts";
import { type SluiceError, toSluiceError } from "../../src/protocol/errors.ts";
import type { Raw } from "../../src/protocol/frames.ts";
import type { Clock } from "../../src/stream/clock.ts";
import type { DedupeWindow } from "../log/dedupe-window.ts";
import type { Log } from "../log/log.ts";
import { encodeKeys, nameOf } from "../log/message-key.ts";
import type { Audience } from "./audience.ts";
import { Batcher } from "./batcher.ts";

/** A message that may enter the log. */
export interface Message {
  readonly sender: string;
  readonly id: string;
  readonly event: string;
  readonly payload: Raw;
}

/** Told once what came of a message. */
export interface Receipt {
  /** It is durable at `seq`; `repeated` when it had been before. */
  readonly stored: (id: string, seq: number, repeated: boolean) => void;
  /** It is not stored. */
  readonly refused: (id: string, error: SluiceError) => void;
}

interface Pending extends Message {
  /** Of its key; see {@link nameOf}. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly receipts: Receipt[];
}

interface PublisherOptions {
  readonly log: Pick<Log, "append">;
  readonly dedupe: DedupeWindow;
  readonly audience: Pick<Audience, "deliver" | "isDelivering">;
  readonly clock: Clock;
  /** Milliseconds that messages under load wait for others. */
  readonly batchMs: number;
  /** Bytes at which they no longer wait. */
  readonly batchBytes: number;
  /** See {@link Batcher}. */
  readonly isCostly?: () => boolean;
  /** Called after a flush, when every receipt of it was given. */
  readonly flushed?: () => void;
  /** What the owner wants to have stored with every flush; read back with `decodeNote`; one line. */
  readonly note?: () => string;
}

export class Publisher implements Disposable {
  readonly #options: PublisherOptions;
  readonly #batcher: Batcher<Pending>;
  /** Messages that wait for a flush, so that a repetition of one finds it. */
  readonly #pending = new Map<string, Pending>();

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#batcher = new Batcher<Pending>({
      clock: options.clock,
      // Asked for with each flush: it may depend on how many there are to hear it.
      get delayMs() {
        return options.batchMs;
      },
      isCostly: () => options.isCostly?.() === true,
      isUnderWay: () => options.audience.isDelivering,
      maxBytes: options.batchBytes,
      flush: (messages) => {
        this.#flush(messages);
      },
    });
  }

  /** Bytes that wait for a flush. */
  get pendingBytes(): number {
    return this.#batcher.pendingBytes;
  }

  /** Takes a message; the receipt follows when it is durable, at once or within the batching delay. */
  publish(message: Message, receipt: Receipt): void {
    this.#take(message, receipt);
    this.#batcher.settle();
  }

  /**
   * Takes messages that belong together: as few rows as possible, with as little delay as one.
   * Resolves with their sequence numbers when all are durable.
   *
   * @param refused called in the turn in which one of them is not stored.
   * @throws SluiceError when one of them was not stored.
   */
  async publishAll(
    messages: readonly Message[],
    refused: () => void = () => {},
  ): Promise<readonly number[]> {
    const stored = messages.map(
      (message) =>
        new Promise<number>((resolve, reject) => {
          const receipt: Receipt = {
            stored: (_id, seq) => {
              resolve(seq);
            },
            refused: (_id, error) => {
              refused();
              reject(error);
            },
          };
          this.#take(message, receipt);
        }),
    );
    this.#batcher.settle();
    return await Promise.all(stored);
  }

  /** The last flush, which was still on its way to some, has left to everyone. */
  left(): void {
    this.#batcher.left();
  }

  /** Makes everything that waits durable now. */
  flush(): void {
    this.#batcher.flush();
  }

  [Symbol.dispose](): void {
    this.#batcher[Symbol.dispose]();
  }

  #take(message: Message, receipt: Receipt): void {
    const { dedupe, clock } = this.#options;
    const { sender, id, event, payload } = message;
    const name = nameOf(message);
    const known = dedupe.find(name);
    if (known !== undefined) {
      receipt.stored(id, known, true);
      return;
    }
    const waiting = name === "" ? undefined : this.#pending.get(name);
    if (waiting !== undefined) {
      waiting.receipts.push(receipt);
      return;
    }
    // The payload is a view of the frame it came in; encoding the entry copies it.
    const bytes = encodeEntry({ sender, at: clock.now(), event, payload, id });
    const pending = { sender, id, event, payload, name, bytes, receipts: [receipt] };
    // A message without an id is no repetition of anything.
    if (name !== "") this.#pending.set(name, pending);
    this.#batcher.hold(pending, bytes.byteLength);
  }

  #flush(messages: readonly Pending[]): void {
    const { log, dedupe, audience, note } = this.#options;
    this.#pending.clear();
    const [only] = messages;
    const entries =
      only !== undefined && messages.length === 1
        ? only.bytes
        : concat(messages.map(({ bytes }) => bytes));
    let first: number;
    try {
      ({ first } = log.append({
        entries,
        count: messages.length,
        ids: encodeKeys(messages, note?.()),
      }));
    } catch (thrown) {
      // Nothing was written and nobody saw it: each sender may try again.
      const error = toSluiceError(thrown);
      for (const { id, receipts } of messages) {
        for (const receipt of receipts) receipt.refused(id, error);
      }
      this.#options.flushed?.();
      return;
    }
    dedupe.remember(
      first,
      messages.map(({ name }) => name),
    );
    // In one turn with the append: the runtime holds back what is sent until the row is durable.
    audience.deliver({ first, count: messages.length, entries });
    let seq = first;
    for (const { id, receipts } of messages) {
      let isRepeated = false;
      for (const receipt of receipts) {
        receipt.stored(id, seq, isRepeated);
        isRepeated = true;
      }
      seq += 1;
    }
    this.#options.flushed?.();
  }
}
