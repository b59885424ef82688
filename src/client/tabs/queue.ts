/**
 * Owns one queue of all tabs: who holds its lock sends, and all tell each other what is added and what has
 * become of it. A tab that is gone gives the lock to the next. Refuses to know what is sent.
 */
import { type Channel, hasTabs, holdLock, onPage, openChannel } from "./platform.ts";
import { parseQueueNews } from "./queue-news.ts";
import type { QueueMember, QueueNews, QueueSeat } from "../outbox/types.ts";

/** Milliseconds after which a tab that waits asks whether the one that sends is there, and is answered. */
const ASK_MS = 5_000;

/** A seat in the queue of this name; undefined where tabs cannot talk to each other. */
export function joinQueue(name: string, member: QueueMember): QueueSeat | undefined {
  if (!hasTabs()) return undefined;
  return new Seat(name, member);
}

class Seat implements QueueSeat {
  readonly #name: string;
  readonly #member: QueueMember;
  readonly #channel: Channel;
  /** Ends the wait for the lock, and gives it back. */
  #term: AbortController | undefined;
  #isSender = false;
  #asking: ReturnType<typeof setTimeout> | undefined;
  /** Whether it is taken: a seat that was left says nothing. */
  #isTaken = true;
  readonly #stopListening: readonly (() => void)[];

  constructor(name: string, member: QueueMember) {
    this.#name = name;
    this.#member = member;
    this.#channel = openChannel(name);
    this.#channel.addEventListener("message", ({ data }) => {
      const news = parseQueueNews(data);
      if (news !== undefined) this.#hear(news);
    });
    this.#stopListening = [
      // A page that is kept, to be shown again, is thrown away as soon as somebody tells it something, and
      // what a frozen one is told is lost.
      onPage(["pagehide", "freeze"], () => {
        this.#close();
      }),
      onPage(["pageshow", "resume"], () => {
        if (this.#isTaken) return;
        this.leave();
        member.missed();
      }),
    ];
  }

  tell(news: QueueNews): void {
    if (this.#isTaken) this.#channel.postMessage(news);
  }

  stand(): void {
    if (this.#term !== undefined || !this.#isTaken) return;
    this.#term = new AbortController();
    void this.#hold(this.#term.signal, false);
    this.#ask();
  }

  rest(): void {
    clearTimeout(this.#asking);
    this.#term?.abort();
    this.#term = undefined;
    this.#isSender = false;
  }

  leave(): void {
    for (const stop of this.#stopListening) stop();
    this.#close();
  }

  #close(): void {
    this.rest();
    this.#isTaken = false;
    this.#channel.close();
  }

  #hear(news: QueueNews): void {
    // Whoever sends is there.
    if (news.kind === "sender" || news.kind === "here" || news.kind === "answered") this.#ask();
    if (news.kind === "ask") {
      if (this.#isSender) this.tell({ kind: "here" });
    } else if (news.kind !== "here") this.#member.heard(news);
  }

  async #hold(signal: AbortSignal, isSteal: boolean): Promise<void> {
    try {
      await holdLock(this.#name, isSteal ? { steal: true } : { signal }, async () => {
        if (signal.aborted) return;
        clearTimeout(this.#asking);
        this.#isSender = true;
        this.#member.turn(true);
        this.tell({ kind: "sender" });
        await new Promise<void>((release) => {
          signal.addEventListener("abort", () => {
            release();
          });
        });
      });
    } catch {
      if (!signal.aborted) this.#lose();
    }
  }

  /** Another tab has taken the lock, because this one was asleep; or there are no locks to be had here. */
  #lose(): void {
    if (!this.#isSender) {
      this.#member.turn(true);
      return;
    }
    this.rest();
    this.#member.turn(false);
    this.stand();
  }

  /** While something waits, whoever holds the lock has to be awake. */
  #ask(): void {
    clearTimeout(this.#asking);
    if (this.#isSender || this.#term === undefined) return;
    this.#asking = setTimeout(() => {
      if (!this.#member.isWaiting()) {
        this.#ask();
        return;
      }
      this.tell({ kind: "ask" });
      this.#asking = setTimeout(() => {
        this.#term?.abort();
        this.#term = new AbortController();
        void this.#hold(this.#term.signal, true);
      }, ASK_MS);
    }, ASK_MS);
  }
}
