/**
 * Owns one link of this tab: at the leader's connection, wherever the leader is, or at one of its own
 * where there is no leader to be had. Refuses to know how a leader is chosen.
 */
import type { Clock } from "../options.ts";
import type { Failure, Link, LinkObserver } from "../transport.ts";
import type { AnyCommand, AnyEvent, LinkNews, LinkRequest, Target } from "./messages.ts";
import { withChanged } from "./seat.ts";

/** Milliseconds a leader has to answer, which may be busy; without an answer, a tab helps itself. */
const ANSWER_MS = 4_000;

/** Milliseconds a leader has to answer whether it is still there. */
const PROBE_MS = 5_000;

/** Milliseconds between two such questions: a tab that hangs closes nothing and says nothing. */
const BEAT_MS = 10_000;

/** What a link needs of the tab. */
export interface TabLinkParts {
  readonly id: string;
  readonly target: Target;
  readonly observer: LinkObserver<AnyEvent>;
  readonly clock: Clock;
  /** Speaks to the leader in another tab. */
  readonly ask: (request: LinkRequest) => void;
  /** Opens a connection of this link's own. */
  readonly openDirectly: (observer: LinkObserver<AnyEvent>) => Link<AnyCommand>;
  /** Told once, when it is over. */
  readonly over: () => void;
}

export class TabLink implements Link<AnyCommand> {
  readonly #parts: TabLinkParts;
  /** The seat or connection in this tab. */
  #inner: Link<AnyCommand> | undefined;
  /** The leader in another tab that has accepted it. */
  #leader: string | undefined;
  /** Whether it has its own connection because the leader said nothing. */
  #isDirect = false;
  #isOver = false;
  #callOff: (() => void) | undefined;

  constructor(parts: TabLinkParts) {
    this.#parts = parts;
  }

  /** Whether nothing follows. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get id(): string {
    return this.#parts.id;
  }

  get target(): Target {
    return this.#parts.target;
  }

  send(command: AnyCommand): void {
    if (this.#inner !== undefined) this.#inner.send(command);
    else if (this.#leader !== undefined) this.#parts.ask({ kind: "send", command });
  }

  probe(): void {
    if (this.#inner !== undefined) {
      this.#inner.probe();
      return;
    }
    this.#ask("probe");
  }

  close(): void {
    if (this.#isOver) return;
    this.#inner?.close();
    if (this.#inner === undefined) this.#parts.ask({ kind: "close" });
    this.#end();
  }

  /** Takes a seat in this tab. @param tab says that it leads, and that others may share the connection. */
  sit(open: (observer: LinkObserver<AnyEvent>) => Link<AnyCommand>, tab?: "this"): void {
    if (this.#isOver || this.#inner !== undefined) return;
    this.#hush();
    const { observer } = this.#parts;
    this.#inner = open(
      withChanged(observer, {
        opened: (isBehind) => {
          observer.opened(isBehind, tab);
        },
        failed: (failure) => {
          this.#end();
          observer.failed(failure);
        },
      }),
    );
  }

  /** Asks the leader in another tab; without an answer, does without. */
  request(): void {
    if (this.#isOver || this.#inner !== undefined) return;
    this.#parts.ask({ kind: "open", target: this.#parts.target });
    this.#expect(ANSWER_MS, () => {
      this.#parts.ask({ kind: "close" });
      this.sit(this.#parts.openDirectly);
      this.#isDirect = true;
      this.#wake();
    });
  }

  /** Goes without other tabs. */
  goAlone(): void {
    this.sit(this.#parts.openDirectly);
  }

  /** Another tab leads now, or this one: `isHere`. What hung on the former leader is over. */
  follow(leader: string, isHere: boolean): "lost" | "pending" | "kept" {
    if (this.#isDirect) {
      this.#return();
      return "lost";
    }
    if (this.#leader === undefined) return this.#inner === undefined ? "pending" : "kept";
    if (this.#leader === leader && !isHere) return "kept";
    this.fail({ code: "tab_closed", message: "The leading tab was closed.", reconnect: "backoff" });
    return "lost";
  }

  /** What the leader in another tab tells. */
  take(leader: string, news: LinkNews): void {
    if (this.#isOver) return;
    if (this.#inner !== undefined) {
      // Whatever it says.
      if (this.#isDirect) this.#return();
      return;
    }
    if (this.#leader !== undefined && this.#leader !== leader) return;
    const { observer } = this.#parts;
    switch (news.kind) {
      case "accepted":
        this.#leader = leader;
        this.#expect(BEAT_MS, () => {
          this.#ask("beat");
        });
        return;
      case "unknown":
        if (this.#leader !== undefined) {
          this.fail({ code: "tab_closed", message: "It does not know us.", reconnect: "backoff" });
        }
        return;
      case "opened":
        observer.opened(news.isBehind, "other");
        return;
      case "caught-up":
        observer.caughtUp();
        return;
      case "event":
        observer.event(news.event);
        return;
      case "failed":
        this.fail(news.failure);
    }
  }

  /** There is a leader after all: what this tab has helped itself to is given up for it. */
  #return(): void {
    this.fail({ code: "tab_awake", message: "The leading tab is awake.", reconnect: "backoff" });
  }

  /** Asks from time to time whether the leader is awake: what it was told in its sleep it may have lost. */
  #wake(): void {
    this.#expect(BEAT_MS, () => {
      this.#parts.ask({ kind: "beat" });
      this.#wake();
    });
  }

  fail(failure: Failure): void {
    if (this.#isOver) return;
    this.#inner?.close();
    this.#end();
    this.#parts.observer.failed(failure);
  }

  #end(): void {
    this.#isOver = true;
    this.#hush();
    this.#parts.over();
  }

  #ask(kind: "beat" | "probe"): void {
    if (this.#leader === undefined) return;
    this.#parts.ask({ kind });
    this.#expect(PROBE_MS, () => {
      this.fail({ code: "silent", message: "The leading tab is silent.", reconnect: "backoff" });
    });
  }

  /** Acts after some time, unless something else happens before. */
  #expect(ms: number, missed: () => void): void {
    this.#hush();
    this.#callOff = this.#parts.clock.after(ms, missed);
  }

  #hush(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }
}
