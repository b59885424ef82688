/** Owns showing a room what this program's awareness says, not too often. Refuses to know the others' states. */
import type { Awareness } from "y-protocols/awareness";
import { timerOf } from "../connection/timer.ts";
import type { Clock } from "../options.ts";
import type { Room } from "../room/types.ts";
import { throwLater } from "../store.ts";
import { presenceOf } from "./presence-state.ts";

/** Milliseconds between two states that are shown: a cursor moves more often than anyone can see. */
const INTERVAL_MS = 100;

export class OwnState {
  readonly #room: Room;
  readonly #awareness: Awareness;
  readonly #setTimer: ReturnType<typeof timerOf>;
  /** Whether something was shown a moment ago. */
  #isWaiting = false;
  #isChanged = false;
  /** Whether the last state was too large, and that was said. */
  #isTooLarge = false;
  #isShown = false;

  constructor(clock: Clock, room: Room, awareness: Awareness) {
    this.#room = room;
    this.#awareness = awareness;
    this.#setTimer = timerOf(clock);
  }

  /** The state is another one: shown at once, or as soon as the interval is over. */
  changed(): void {
    this.#isChanged = true;
    if (!this.#isWaiting) this.#show();
  }

  /** Shows nothing any more. */
  stop(): void {
    this.#setTimer();
    if (this.#isShown) this.#room.show(null);
    this.#isShown = false;
  }

  #show(): void {
    this.#isChanged = false;
    this.#isWaiting = true;
    this.#setTimer(INTERVAL_MS, () => {
      this.#isWaiting = false;
      if (this.#isChanged) this.#show();
    });
    const state = presenceOf(this.#awareness);
    try {
      this.#room.show(state);
      this.#isShown = state !== null;
      this.#isTooLarge = false;
    } catch (error) {
      // Not the editor's to handle, whose change this is; once, and not at each movement of a cursor.
      if (!this.#isTooLarge) throwLater(error);
      this.#isTooLarge = true;
    }
  }
}
