/**
 * Owns the newest events of a connection, so that whoever shares it can be served from where it stands.
 * Refuses to know what events are.
 */

/** Events that are kept. */
const MAX_EVENTS = 512;

/** Size of what is kept, in the units of whoever fills it (bytes or characters). */
const MAX_SIZE = 1024 * 1024;

interface Kept<Event, Place> {
  readonly event: Event;
  /** Where reading stands after it. */
  readonly after: Place | undefined;
  readonly size: number;
}

/** A queue whose events keep their numbers while the oldest go. */
export class Ring<Event, Place> {
  #kept: Kept<Event, Place>[] = [];
  #size = 0;
  #first = 0;
  #base: Place | undefined;

  /** Number of the oldest event that is kept. */
  get first(): number {
    return this.#first;
  }

  /** Number of the next event. */
  get end(): number {
    return this.#first + this.#kept.length;
  }

  /** The place before the oldest event that is kept; undefined where it is not known. */
  get base(): Place | undefined {
    return this.#base;
  }

  /** The place after the newest event. */
  get tail(): Place | undefined {
    return this.#kept.at(-1)?.after ?? this.#base;
  }

  /** Begins anew at a place. Numbers go on. */
  reset(base: Place | undefined): void {
    this.#first = this.end;
    this.#kept = [];
    this.#size = 0;
    this.#base = base;
  }

  push(event: Event, after: Place | undefined, size: number): void {
    this.#kept.push({ event, after, size });
    this.#size += size;
    while (this.#kept.length > MAX_EVENTS || (this.#size > MAX_SIZE && this.#kept.length > 1)) {
      const oldest = this.#kept.shift();
      this.#first += 1;
      this.#size -= oldest?.size ?? 0;
      this.#base = oldest?.after ?? this.#base;
    }
  }

  at(number: number): Event | undefined {
    return this.#kept[number - this.#first]?.event;
  }

  /** The number of the newest event for which `holds` after it, plus one; undefined when there is none. */
  afterLast(holds: (after: Place | undefined, event: Event) => boolean): number | undefined {
    const index = this.#kept.findLastIndex(({ event, after }) => holds(after, event));
    return index === -1 ? undefined : this.#first + index + 1;
  }

  /** The number of the oldest event for which `holds`; {@link end} when there is none. */
  findFirst(holds: (event: Event) => boolean): number {
    const index = this.#kept.findIndex(({ event }) => holds(event));
    return index === -1 ? this.end : this.#first + index;
  }
}
