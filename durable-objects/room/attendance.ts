/**
 * Owns telling members who is here: everything at first, then what changes, little by little (W6).
 * Refuses to know why somebody comes or goes.
 */
import { encodeServerFrame } from "../../src/protocol/encode-server-frame.ts";
import type { PresenceSnapshot, Raw } from "../../src/protocol/frames.ts";
import { PRESENCE_COMPLETE_MEMBERS, PRESENCE_SAMPLE } from "../../src/protocol/limits.ts";
import type { Clock } from "../../src/stream/clock.ts";
import { Batcher } from "../delivery/batcher.ts";
import { type Connection, saveConnection } from "../delivery/connection.ts";
import type { Meta } from "../log/meta.ts";
import type { Roster } from "../presence/roster.ts";

/** Milliseconds in which changes of a small room are told together: cursors move smoothly at ten a second. */
const SMALL_ROOM_MS = 100;

/** The same for a room that is only counted: nobody watches a number faster. */
const LARGE_ROOM_MS = 1_000;

/** Under which name the room remembers that its members know each other by number only. */
const CROWD = "crowd";

interface AttendanceOptions {
  readonly roster: Roster;
  readonly clock: Clock;
  /** Connections, some of which are told. */
  readonly audience: () => Iterable<Connection>;
  /** What must outlive a sleep is kept there. */
  readonly memory: Pick<Meta, "get" | "set" | "delete">;
  /** Sends a frame that may be left out when the connection takes nothing; false when it was. */
  readonly send: (connection: Connection, frame: Uint8Array) => boolean;
}

export class Attendance implements Disposable {
  readonly #options: AttendanceOptions;
  readonly #small: Batcher<null>;
  readonly #large: Batcher<null>;
  /** Whether members know everyone by name. */
  #wasComplete: boolean;

  constructor(options: AttendanceOptions) {
    this.#options = options;
    this.#wasComplete = options.memory.get(CROWD) === undefined;
    const batcher = (delayMs: number): Batcher<null> =>
      new Batcher<null>({
        clock: options.clock,
        delayMs,
        maxBytes: Number.POSITIVE_INFINITY,
        flush: () => {
          this.#tell();
        },
      });
    this.#small = batcher(SMALL_ROOM_MS);
    this.#large = batcher(LARGE_ROOM_MS);
  }

  /** Who is here, for a welcome. A large room gives a sample. */
  snapshot(): PresenceSnapshot<Raw> {
    const { roster } = this.#options;
    return {
      count: roster.count,
      // A crowd gets a taste: with thousands coming back at once, each would be sent all the names.
      members: roster.list(isComplete(roster) ? PRESENCE_COMPLETE_MEMBERS : PRESENCE_SAMPLE),
      complete: isComplete(roster),
    };
  }

  /** Something in the roster may have changed: it is told soon. */
  changed(): void {
    const { roster } = this.#options;
    if (!roster.isChanged) return;
    const batcher = isComplete(roster) ? this.#small : this.#large;
    if (batcher.pending === 0) batcher.add(null, 0);
  }

  /** Tells a connection everything anew, because it has missed something. */
  refresh(connection: Connection): void {
    this.#mark(connection, !this.#options.send(connection, this.#encodeSnapshot()));
  }

  [Symbol.dispose](): void {
    this.#small[Symbol.dispose]();
    this.#large[Symbol.dispose]();
  }

  #tell(): void {
    const { roster, audience, memory } = this.#options;
    const { here, gone } = roster.takeChange();
    const complete = isComplete(roster);
    const wasComplete = this.#wasComplete;
    this.#wasComplete = complete;
    if (complete && !wasComplete) memory.delete(CROWD);
    if (!complete && wasComplete) memory.set(CROWD, "1");
    let frame: Uint8Array;
    if (complete && wasComplete) {
      if (here.length === 0 && gone.length === 0) return;
      frame = encodeServerFrame({
        kind: "presenceDiff",
        scope: "diff",
        count: roster.count,
        here,
        gone,
      });
    } else {
      frame = complete ? this.#encodeSnapshot() : this.#encodeCount();
    }
    for (const connection of audience()) {
      if (connection.door !== "member" || connection.phase.kind === "greeting") continue;
      // Who lags is told everything anew when it has caught up.
      const isStale =
        connection.presenceStale ||
        connection.phase.kind === "lagging" ||
        !this.#options.send(connection, frame);
      this.#mark(connection, isStale);
    }
  }

  /** Notes whether a connection has missed something, so that it is known after a sleep too. */
  #mark(connection: Connection, isStale: boolean): void {
    if (connection.presenceStale === isStale) return;
    connection.presenceStale = isStale;
    saveConnection(connection);
  }

  #encodeSnapshot(): Uint8Array {
    const { roster } = this.#options;
    if (!isComplete(roster)) return this.#encodeCount();
    return encodeServerFrame({
      kind: "presenceDiff",
      scope: "all",
      count: roster.count,
      here: roster.list(),
      gone: [],
    });
  }

  #encodeCount(): Uint8Array {
    return encodeServerFrame({
      kind: "presenceDiff",
      scope: "count",
      count: this.#options.roster.count,
      here: [],
      gone: [],
    });
  }
}

function isComplete(roster: Roster): boolean {
  return roster.count <= PRESENCE_COMPLETE_MEMBERS;
}
