/**
 * Owns what an awareness knows of others: as long as a room's presence shows it, and no longer. Refuses to know what this
 * program shows.
 */
import { type Awareness, applyAwarenessUpdate, removeAwarenessStates } from "y-protocols/awareness";
import type { Clock } from "../options.ts";
import type { Presence } from "../room/types.ts";
import { guard } from "../store.ts";
import { clientOf, updateOf } from "./presence-state.ts";

/** What a member shows. */
interface Shown {
  readonly update: Uint8Array;
  readonly client: number;
}

export class OtherStates {
  readonly #awareness: Awareness;
  readonly #clock: Clock;
  /** By member. */
  readonly #shown = new Map<string, Shown>();

  constructor(clock: Clock, awareness: Awareness) {
    this.#clock = clock;
    this.#awareness = awareness;
  }

  /** This is who is here now, with what they show. */
  take({ members }: Pick<Presence, "members">): void {
    const here = new Map(members.map(({ member, state }) => [member, updateOf(state)]));
    for (const member of this.#shown.keys()) {
      if (here.get(member) === undefined) this.#forget(member);
    }
    for (const [member, update] of here) {
      if (update !== undefined && update !== this.#shown.get(member)?.update) {
        this.#apply(member, update);
      }
    }
  }

  /** Nobody says any more who is here: what is known is left to go out of date. */
  lose(): void {
    const lastUpdated = this.#clock.now();
    for (const { client } of this.#shown.values()) this.#setMeta(client, { lastUpdated });
  }

  /** Nobody is known any more. */
  stop(): void {
    for (const member of this.#shown.keys()) this.#forget(member);
  }

  #apply(member: string, update: Uint8Array): void {
    const awareness = this.#awareness;
    const client = clientOf(update);
    const before = this.#shown.get(member);
    if (before !== undefined && before.client !== client) this.#forget(member);
    if (client === undefined || client === awareness.clientID) return;
    const isTaken = [...this.#shown].some(
      ([other, shown]) => shown.client === client && other !== member,
    );
    // Nobody speaks for another one.
    if (isTaken) return;
    this.#shown.set(member, { update, client });
    // What the room shows counts, also if it was known and dropped before, or set anew from the beginning.
    if (awareness.states.has(client)) this.#setMeta(client, { clock: -1 });
    else awareness.meta.delete(client);
    guard(() => {
      applyAwarenessUpdate(awareness, update, this);
    });
    // A room has no ghosts: nothing that it shows is out of date.
    this.#setMeta(client, { lastUpdated: Infinity });
  }

  #forget(member: string): void {
    const client = this.#shown.get(member)?.client;
    this.#shown.delete(member);
    if (client === undefined) return;
    guard(() => {
      removeAwarenessStates(this.#awareness, [client], this);
    });
    this.#awareness.meta.delete(client);
  }

  #setMeta(
    client: number,
    change: { readonly clock?: number; readonly lastUpdated?: number },
  ): void {
    const meta = this.#awareness.meta.get(client);
    if (meta !== undefined) this.#awareness.meta.set(client, { ...meta, ...change });
  }
}
