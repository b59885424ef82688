/**
 * Owns one reader of an event stream, which finds the events' texts wherever the peer puts them, and
 * keeps a fingerprint of what came in which order. Refuses to know how a peer writes its events.
 */
import { LoadResponse } from "../support/load-response.ts";
import { indexAt, messageText, sentAtOf } from "../support/text.ts";

/** Begins an event's text, and occurs nowhere else in what peers write. */
const MARK = "@";
const MARK_BYTE = MARK.charCodeAt(0);
const EVENT_BYTES = 200;

/** What a crowd is told by its subscribers. */
export interface SubscriberEvents {
  readonly joined: () => void;
  readonly heard: (count: number) => void;
  /** An event has come so many milliseconds after it was sent; asked for by `timed` only. */
  readonly delayed: (ms: number) => void;
  readonly failed: (why: string) => void;
}

/** The data of event number `index`. */
export function eventText(index: number, sentAt: number): string {
  return MARK + messageText(index, sentAt, EVENT_BYTES - MARK.length);
}

export class Subscriber implements Disposable {
  /** Whether delays are wanted. */
  timed = false;
  readonly #events: SubscriberEvents;
  readonly #response: LoadResponse;
  /** The beginning of an event's text whose end is to come. */
  #rest: Buffer | undefined;
  #hasJoined = false;
  #sum = 0;
  #order = 0;

  /** @param opening text after which the server has counted the reader in; empty for its head. */
  constructor(url: URL, opening: string, events: SubscriberEvents) {
    this.#events = events;
    this.#response = new LoadResponse({
      url,
      onOpen: () => {
        if (opening === "") this.#join();
      },
      onBody: (bytes, start, end, at) => {
        if (!this.#hasJoined && bytes.subarray(start, end).includes(opening)) this.#join();
        this.#read(bytes, start, end, at);
      },
      onLost: events.failed,
    });
  }

  /** The sum of the numbers of all events that came. */
  get sum(): number {
    return this.#sum;
  }

  /** The same for two subscribers that got the same events in the same order. */
  get order(): number {
    return this.#order;
  }

  [Symbol.dispose](): void {
    this.#response[Symbol.dispose]();
  }

  #join(): void {
    this.#hasJoined = true;
    this.#events.joined();
  }

  #read(bytes: Buffer, from: number, to: number, at: number): void {
    let body = bytes;
    let start = from;
    let end = to;
    if (this.#rest !== undefined) {
      body = Buffer.concat([this.#rest, bytes.subarray(from, to)]);
      start = 0;
      end = body.length;
      this.#rest = undefined;
    }
    let count = 0;
    for (;;) {
      const text = body.indexOf(MARK_BYTE, start);
      if (text < 0 || text >= end) break;
      if (text + EVENT_BYTES > end) {
        // Copied: the buffer belongs to the next response's bytes.
        this.#rest = Buffer.from(body.subarray(text, end));
        break;
      }
      const index = indexAt(body, text + MARK.length);
      this.#sum += index;
      this.#order = (Math.imul(this.#order, 31) + index) | 0;
      if (this.timed) this.#events.delayed(at - sentAtOf(body, text + MARK.length));
      count += 1;
      start = text + EVENT_BYTES;
    }
    if (count > 0) this.#events.heard(count);
  }
}
