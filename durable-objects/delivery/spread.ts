/**
 * Owns the sending of one frame to many, in steps: between two of them the event loop has a turn, so the
 * first have the frame while the last are still to come. Refuses to know who they are, and the platform.
 *
 * What `send` is given leaves only when its turn ends: sent to a hundred at once, the first waits for a
 * hundred calls. Each receiver's order is kept by whoever sends it something else: it calls
 * {@link Spread.finish} before.
 */
import { type Receiver, send } from "./socket.ts";

/** Turns of the event loop. */
export interface Turns {
  /** Receivers that are served in each of the first turns. */
  readonly receivers: number;
  /** Calls back in another turn, soon, whatever becomes of the object. */
  readonly next: (go: () => void) => void;
}

/** Later steps grow with those who have been served, so that a thousand do not take a hundred turns. */
const GROWTH = 1 / 4;

interface SpreadOptions {
  /** Left out, everybody is served in the same turn. */
  readonly turns: Turns | undefined;
  /** A frame that was under way has left to everybody. */
  readonly done: () => void;
}

/** Nothing is under way. */
const NOBODY: readonly Receiver[] = [];
const NOTHING = new Uint8Array();

export class Spread {
  readonly #options: SpreadOptions;
  #receivers = NOBODY;
  #frame: Uint8Array = NOTHING;
  /** How many of them have been served. */
  #served = 0;
  /** Frames so far. */
  #frames = 0;

  constructor(options: SpreadOptions) {
    this.#options = options;
  }

  /** Whether a frame has left to some and not to all. */
  get isUnderWay(): boolean {
    return this.#receivers !== NOBODY;
  }

  /**
   * Sends a frame to all of them, to the first at once; whoever waits for an earlier one gets that before.
   *
   * @param receivers not copied, and not to be changed.
   */
  begin(receivers: readonly Receiver[], frame: Uint8Array): void {
    this.finish();
    this.#receivers = receivers;
    this.#frame = frame;
    this.#served = 0;
    this.#frames += 1;
    this.#step();
    if (this.isUnderWay) this.#goOn(this.#frames);
  }

  /** Lets what is under way leave now. */
  finish(): void {
    if (!this.isUnderWay) return;
    this.#serve(this.#receivers.length);
    this.#options.done();
  }

  #goOn(frame: number): void {
    this.#options.turns?.next(() => {
      // Finished meanwhile, perhaps by the next frame, which goes its own way.
      if (!this.isUnderWay || this.#frames !== frame) return;
      this.#step();
      if (this.isUnderWay) this.#goOn(frame);
      else this.#options.done();
    });
  }

  #step(): void {
    const size = this.#options.turns?.receivers ?? this.#receivers.length;
    this.#serve(Math.max(size, Math.floor(this.#served * GROWTH)));
  }

  #serve(size: number): void {
    const receivers = this.#receivers;
    const frame = this.#frame;
    const end = Math.min(this.#served + size, receivers.length);
    for (let nth = this.#served; nth < end; nth += 1) {
      const receiver = receivers[nth];
      if (receiver !== undefined) send(receiver.socket, frame);
    }
    this.#served = end;
    if (end < receivers.length) return;
    this.#receivers = NOBODY;
    this.#frame = NOTHING;
  }
}
