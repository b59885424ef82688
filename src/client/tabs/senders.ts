/** Owns who sent which message, so that its answer goes back there. Refuses to know what was sent. */
import type { ErrorFrame, PublishedFrame } from "../../protocol/frames.ts";
import type { RoomSeat } from "./room-seat.ts";

export class Senders {
  readonly #seats = new Map<string, Set<RoomSeat>>();

  /** The same message may come from several tabs that share an outbox. */
  sent(id: string, seat: RoomSeat): void {
    const seats = this.#seats.get(id) ?? new Set();
    this.#seats.set(id, seats.add(seat));
  }

  answered({ published }: PublishedFrame): void {
    for (const one of published) {
      for (const seat of this.#seats.get(one.id) ?? []) {
        seat.tell({ kind: "published", published: [one] });
      }
      this.#seats.delete(one.id);
    }
  }

  /** @param id the message's, which the error names. */
  refused(id: string, error: ErrorFrame): void {
    for (const seat of this.#seats.get(id) ?? []) seat.tell(error);
    this.#seats.delete(id);
  }

  left(seat: RoomSeat): void {
    for (const [id, seats] of this.#seats) {
      if (seats.delete(seat) && seats.size === 0) this.#seats.delete(id);
    }
  }

  clear(): void {
    this.#seats.clear();
  }
}
