/**
 * Owns this tab's part in a group of tabs: one of them leads, by holding a lock that the browser gives to
 * the next as soon as the tab is gone. Refuses to know what is read.
 */
import type { Context } from "../context.ts";
import type { Failure } from "../transport.ts";
import { Leader } from "./leader.ts";
import { type LinkRequest, parseNews, parseShared } from "./messages.ts";
import { type Channel, holdLock, onPage, openChannel } from "./platform.ts";
import type { Surface } from "./seat.ts";
import type { TabLink } from "./tab-link.ts";

/** Milliseconds for which a tab that reads nothing stays in the group: it may be about to read again. */
const LINGER_MS = 10_000;

/** What makes a group. */
interface GroupParts {
  readonly name: string;
  /** What its leader has connections to. */
  readonly surface: Surface;
  /** What the tokens of its tabs mean. */
  readonly meaning: string;
  /** Called when this tab has left the group. */
  readonly retired: () => void;
}

export class Group {
  readonly #context: Context;
  readonly #parts: GroupParts;
  readonly #name: string;
  readonly #id = crypto.randomUUID();
  readonly #links = new Map<string, TabLink>();
  readonly #shared: Channel;
  readonly #own: Channel;
  readonly #end = new AbortController();
  readonly #stopListening: () => void;
  #leader: Leader | undefined;
  /** Ends everything that was asked for as leader. */
  #term = new AbortController();
  /** Resolves when other tabs can see that this one is here; false where they never will. */
  readonly #ready: Promise<boolean>;
  #linger: (() => void) | undefined;

  constructor(context: Context, parts: GroupParts) {
    const { name } = parts;
    this.#context = context;
    this.#parts = parts;
    this.#name = name;
    this.#shared = openChannel(name);
    this.#own = openChannel(`${name} ${this.#id}`);
    this.#shared.addEventListener("message", ({ data }) => {
      this.#hear(data);
    });
    this.#own.addEventListener("message", ({ data }) => {
      const message = parseNews(data);
      if (message !== undefined) this.#links.get(message.link)?.take(message.leader, message.news);
    });
    this.#ready = this.#hold(this.#id, this.#end.signal);
    this.#stopListening = onPage(["pagehide", "freeze"], () => {
      // Perhaps to be shown again as it was: it keeps nobody waiting meanwhile.
      this.#quit({ code: "tab_hidden", message: "The page was left.", reconnect: "backoff" });
    });
    void this.#stand();
  }

  /** Leaves at once; what is read here comes back as any tab comes. */
  #quit(failure: Failure): void {
    this.#retire();
    for (const link of this.#links.values()) link.fail(failure);
  }

  /** Gives a link its connection. */
  async enter(link: TabLink): Promise<void> {
    this.#linger?.();
    this.#linger = undefined;
    this.#links.set(link.id, link);
    const isReady = await this.#ready;
    if (!this.#links.has(link.id)) return;
    if (!isReady) link.goAlone();
    else this.#place(link);
  }

  leave(link: TabLink): void {
    this.#links.delete(link.id);
    this.#retireIfIdle();
  }

  /** Speaks to the leader for one of the links. */
  ask(link: string, request: LinkRequest): void {
    if (!this.#end.signal.aborted) this.#shared.postMessage({ tab: this.#id, link, request });
  }

  #place(link: TabLink): void {
    const leader = this.#leader;
    if (leader === undefined) link.request();
    else link.sit((observer) => leader.open(link.target, observer), "this");
  }

  #hear(data: unknown): void {
    const message = parseShared(data);
    if (message === undefined) return;
    if ("tab" in message) {
      this.#leader?.take(message);
      return;
    }
    if (this.#leader !== undefined) {
      // The browser has taken the lock from this tab, which was asleep.
      this.#resign();
      for (const link of this.#links.values()) {
        link.fail({ code: "tab_closed", message: "Another tab leads.", reconnect: "backoff" });
      }
      void this.#stand();
    }
    this.#follow(message.leader, false);
  }

  /** Waits to lead. */
  async #stand(): Promise<void> {
    if (!(await this.#ready)) return;
    if (!(await this.#hold("leader", this.#end.signal))) return;
    const { signal } = this.#term;
    const { surface, meaning } = this.#parts;
    this.#leader = new Leader({
      context: this.#context,
      surface,
      meaning,
      unfit: (failure) => {
        this.#quit(failure);
      },
      id: this.#id,
      channelOf: (tab) => openChannel(`${this.#name} ${tab}`),
      watch: (tab, gone) => {
        void this.#watch(tab, signal, gone);
      },
      idle: () => {
        this.#retireIfIdle();
      },
    });
    this.#shared.postMessage({ leader: this.#id });
    this.#follow(this.#id, true);
  }

  #follow(leader: string, isHere: boolean): void {
    for (const link of this.#links.values()) {
      if (link.follow(leader, isHere) === "pending") this.#place(link);
    }
  }

  async #watch(tab: string, signal: AbortSignal, gone: () => void): Promise<void> {
    const release = new AbortController();
    // The lock of a tab is free when the tab is gone.
    const isGone = await this.#hold(tab, AbortSignal.any([signal, release.signal]));
    release.abort();
    if (isGone && !signal.aborted) gone();
  }

  /** Resolves true when this tab holds a lock, until the signal; false when it never will. */
  #hold(lock: string, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const released = new Promise<void>((release) => {
        signal.addEventListener("abort", () => {
          release();
        });
      });
      const request = async (): Promise<void> => {
        try {
          await holdLock(`${this.#name} ${lock}`, { signal }, async () => {
            // It may be called off when the browser has given it already.
            resolve(!signal.aborted);
            if (!signal.aborted) await released;
          });
        } catch {
          // Called off, or not allowed here.
          resolve(false);
        }
      };
      void request();
    });
  }

  #resign(): void {
    this.#leader?.close();
    this.#leader = undefined;
    this.#term.abort();
    this.#term = new AbortController();
  }

  #isIdle(): boolean {
    return this.#links.size === 0 && this.#leader?.isIdle !== false;
  }

  #retireIfIdle(): void {
    if (!this.#isIdle() || this.#linger !== undefined || this.#end.signal.aborted) return;
    this.#linger = this.#context.clock.after(LINGER_MS, () => {
      this.#linger = undefined;
      if (this.#isIdle()) this.#retire();
    });
  }

  #retire(): void {
    if (this.#end.signal.aborted) return;
    this.#stopListening();
    this.#linger?.();
    this.#parts.retired();
    this.#resign();
    this.#end.abort();
    this.#shared.close();
    this.#own.close();
  }
}
