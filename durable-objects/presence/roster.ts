/**
 * Owns who is here: members with one or more connections each, and what they show. It is derived
 * from open connections only, so there are no ghosts (W6). Refuses to know sockets and frames.
 */
import { sameBytes } from "../../src/protocol/bytes.ts";
import type { PresentMember, Raw } from "../../src/protocol/frames.ts";

/** What changed since the last look. */
export interface RosterChange {
  readonly here: readonly PresentMember<Raw>[];
  readonly gone: readonly string[];
}

interface Present {
  /** Connections of the member, in the order in which they last spoke; the newest state is shown. */
  readonly connections: Map<string, Raw>;
  shown: Raw;
}

export class Roster {
  readonly #members = new Map<string, Present>();
  /** Members to report. */
  readonly #changed = new Set<string>();
  /** Members gone of whom only the others knew; they may have had several connections. */
  readonly #missed = new Set<string>();

  /** Members here. */
  get count(): number {
    return this.#members.size;
  }

  /** Whether there is something to report. */
  get isChanged(): boolean {
    return this.#changed.size > 0;
  }

  /** Whether a member has any connection. */
  has(member: string): boolean {
    return this.#members.has(member);
  }

  /** How many connections a member has. */
  connectionsOf(member: string): number {
    return this.#members.get(member)?.connections.size ?? 0;
  }

  /** A connection of a member is here and shows `state`; also when it shows something new. */
  show(member: string, connection: string, state: Raw): void {
    let present = this.#members.get(member);
    this.#missed.delete(member);
    if (present === undefined) {
      this.#changed.add(member);
      present = { connections: new Map(), shown: state };
      this.#members.set(member, present);
    } else if (!sameBytes(present.shown, state)) {
      this.#changed.add(member);
    }
    present.connections.delete(connection);
    present.connections.set(connection, state);
    present.shown = state;
  }

  /**
   * A connection is gone; the member is, when it was the last one. One that was never shown was here
   * before a sleep: the others still believe so.
   */
  hide(member: string, connection: string): void {
    const present = this.#members.get(member);
    if (present === undefined) {
      if (!this.#missed.has(member)) this.#changed.add(member);
      this.#missed.add(member);
      return;
    }
    if (!present.connections.delete(connection)) {
      // It may have been the one whose state was shown.
      this.#changed.add(member);
      return;
    }
    const newest = [...present.connections.values()].at(-1);
    if (newest === undefined) {
      this.#changed.add(member);
      this.#members.delete(member);
    } else if (!sameBytes(newest, present.shown)) {
      this.#changed.add(member);
      present.shown = newest;
    }
  }

  /** Everyone who is here, or the first `limit` of them. */
  list(limit: number = Number.POSITIVE_INFINITY): PresentMember<Raw>[] {
    const members: PresentMember<Raw>[] = [];
    for (const [member, { shown }] of this.#members) {
      if (members.length >= limit) break;
      members.push({ member, state: shown });
    }
    return members;
  }

  /**
   * Takes what changed since the last call. Who came and went in between is gone, too: somebody may
   * have been given a list with them meanwhile.
   */
  takeChange(): RosterChange {
    const here: PresentMember<Raw>[] = [];
    const gone: string[] = [];
    for (const member of this.#changed) {
      const present = this.#members.get(member);
      if (present === undefined) gone.push(member);
      else here.push({ member, state: present.shown });
    }
    this.#changed.clear();
    return { here, gone };
  }

  /** Forgets changes without reporting them: after waking, everyone already knows who is here. */
  settle(): void {
    this.#changed.clear();
  }
}
