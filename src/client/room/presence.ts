/** Owns who is here, as the server tells it. Refuses to know who is asked for it. */
import type { PresenceDiffFrame, PresenceSnapshot } from "../../protocol/frames.ts";
import { Store } from "../store.ts";
import type { Presence } from "./types.ts";

const NOBODY: Presence = { count: 0, members: [], complete: true };

export class PresenceStore extends Store<Presence> {
  readonly #members = new Map<string, unknown>();

  constructor() {
    super(NOBODY);
  }

  /** A connection begins with all that is known (P68: of a large room, with a sample). */
  begin({ count, members, complete }: PresenceSnapshot): void {
    this.#members.clear();
    for (const { member, state } of members) this.#members.set(member, state);
    this.#publish(count, complete);
  }

  /** News (P67). */
  apply({ scope, count, here, gone }: PresenceDiffFrame): void {
    if (scope === "all") this.#members.clear();
    for (const { member, state } of here) this.#members.set(member, state);
    for (const member of gone) this.#members.delete(member);
    this.#publish(count, scope === "all" || (scope === "diff" && this.get().complete));
  }

  #publish(count: number, complete: boolean): void {
    const members = [...this.#members].map(([member, state]) => ({ member, state }));
    this.set({ count, members, complete });
  }
}
