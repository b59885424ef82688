/**
 * Owns the leader's side of the talk between tabs: whoever asks gets a seat, whoever is gone loses it.
 * Refuses to know how a leader is chosen.
 */
import type { Failure, Link, LinkObserver } from "../transport.ts";
import { Hub, type HubParts } from "./hub.ts";
import type { AnyCommand, AnyEvent, LinkNews, RequestMessage, Target } from "./messages.ts";
import type { Channel } from "./platform.ts";

/** What a leader needs of the platform. */
export interface LeaderParts extends HubParts {
  /** This leader's name. */
  readonly id: string;
  /** The channel on which a tab listens. */
  readonly channelOf: (tab: string) => Channel;
  /** Calls `gone` when a tab is no more. */
  readonly watch: (tab: string, gone: () => void) => void;
  /** Nobody needs this leader any more. */
  readonly idle: () => void;
}

interface Tab {
  readonly channel: Channel;
  readonly links: Map<string, Link<AnyCommand>>;
}

export class Leader {
  readonly #parts: LeaderParts;
  readonly #hub: Hub;
  readonly #tabs = new Map<string, Tab>();

  constructor(parts: LeaderParts) {
    this.#parts = parts;
    this.#hub = new Hub(parts);
  }

  get isIdle(): boolean {
    return this.#hub.isIdle;
  }

  /** A seat for this tab's own reading. */
  open(target: Target, observer: LinkObserver<AnyEvent>): Link<AnyCommand> {
    return this.#hub.open(target, observer);
  }

  /** What another tab asks. */
  take({ tab, link, request }: RequestMessage): void {
    if (request.kind === "open") {
      if (request.target.surface === this.#parts.surface.name) {
        this.#open(tab, link, request.target);
      }
      return;
    }
    const known = this.#tabs.get(tab)?.links.get(link);
    switch (request.kind) {
      case "send":
        if (known === undefined) this.#tell(tab, link, { kind: "unknown" });
        else known.send(request.command);
        return;
      case "beat":
      case "probe":
        if (request.kind === "probe") known?.probe();
        this.#tell(tab, link, { kind: known === undefined ? "unknown" : "accepted" });
        return;
      case "close":
        known?.close();
        this.#forget(tab, link);
    }
  }

  close(): void {
    for (const { channel } of this.#tabs.values()) channel.close();
    this.#tabs.clear();
    this.#hub.close();
  }

  #open(tab: string, link: string, target: Target): void {
    const { links } = this.#tab(tab);
    this.#tell(tab, link, { kind: "accepted" });
    // Who was not sure to be heard asks again.
    if (links.has(link)) return;
    const tell = (news: LinkNews): void => {
      if (this.#tabs.get(tab)?.links.has(link) === true) this.#tell(tab, link, news);
    };
    const opened = this.#hub.open(target, {
      opened: (isBehind) => {
        tell({ kind: "opened", isBehind });
      },
      caughtUp: () => {
        tell({ kind: "caught-up" });
      },
      event: (event) => {
        tell({ kind: "event", event });
      },
      // Part of what a failure says.
      retry: () => {},
      failed: (failure: Failure) => {
        // It is not their token that is refused.
        const { reconnect } = failure;
        const told: Failure = { ...failure, reconnect: reconnect === "no" ? "no" : "backoff" };
        tell({ kind: "failed", failure: told });
        this.#forget(tab, link);
      },
    });
    links.set(link, opened);
  }

  #tab(name: string): Tab {
    const known = this.#tabs.get(name);
    if (known !== undefined) return known;
    const { channelOf, watch } = this.#parts;
    const tab: Tab = { channel: channelOf(name), links: new Map() };
    this.#tabs.set(name, tab);
    watch(name, () => {
      if (!this.#tabs.delete(name)) return;
      for (const link of tab.links.values()) link.close();
      tab.channel.close();
      this.#parts.idle();
    });
    return tab;
  }

  #tell(tab: string, link: string, news: LinkNews): void {
    this.#tab(tab).channel.postMessage({ leader: this.#parts.id, link, news });
  }

  #forget(tab: string, link: string): void {
    this.#tabs.get(tab)?.links.delete(link);
    this.#parts.idle();
  }
}
