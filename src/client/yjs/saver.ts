/**
 * Owns changes from the moment they are made until the server has them: one update on its way, all others merged into
 * the next. Refuses to know how they are sent.
 */
import * as Y from "yjs";
import type { ClientError } from "../errors.ts";
import type { Clock } from "../options.ts";
import type { Unsubscribe } from "../state.ts";

/** Updates that wait one by one: merging all at each keystroke would cost more the more there are. */
const MOST_WAITING = 256;

/** Milliseconds after a refusal in which no further change is tried: whoever types would be refused at each letter. */
const REFUSED_MS = 5_000;

/**
 * Milliseconds after a change is stored in which others are gathered: each message is a row, and stands in the room's
 * history beside what people say there. Who types sees no difference.
 */
const PAUSE_MS = 100;

/** What a saver works with. */
export interface SaverParts {
  readonly clock: Clock;
  /** Sends an update; resolves when it is stored, rejects when the server refuses it for good. */
  write(update: Uint8Array): Promise<void>;
  /** What was sent last is stored, or refused. */
  settled(refusal: ClientError | undefined): void;
}

export class Saver {
  readonly #parts: SaverParts;
  #waiting: Uint8Array[] = [];
  #sending: Uint8Array | undefined;
  #isOpen = false;
  #isOver = false;
  /** Why what waits was refused, until something is accepted. */
  #refusal: ClientError | undefined;
  /** Milliseconds since 1970 before which nothing is tried again. */
  #notBefore = 0;
  /** What was refused is not sent again as it was: what the server lacks by then may be less. */
  #isHeld = false;
  /** Ends the pause, if there is one. */
  #endPause: Unsubscribe | undefined;

  constructor(parts: SaverParts) {
    this.#parts = parts;
  }

  /** Whether everything is stored. */
  get isDone(): boolean {
    return this.#sending === undefined && this.#waiting.length === 0;
  }

  get refusal(): ClientError | undefined {
    return this.#refusal;
  }

  /** Whether what was refused should be compared with the server's state again, to be tried anew. */
  get isToBeCompared(): boolean {
    return this.#isHeld && this.#parts.clock.now() >= this.#notBefore;
  }

  /** What is on its way, if anything. */
  get sending(): readonly Uint8Array[] {
    return this.#sending === undefined ? [] : [this.#sending];
  }

  /** A change was made. */
  add(update: Uint8Array): void {
    this.#waiting.push(update);
    if (this.#waiting.length > MOST_WAITING) this.#waiting = [Y.mergeUpdates(this.#waiting)];
    this.#pump();
  }

  /** This is all that the server lacks, but for what is on its way. */
  replace(lacking: Uint8Array | undefined): void {
    this.#waiting = lacking === undefined ? [] : [lacking];
    this.#isHeld = false;
    if (this.isDone) this.#refusal = undefined;
  }

  /** There is a connection: sends, also what was refused before. */
  open(): void {
    this.#isOpen = true;
    this.#notBefore = 0;
    this.#pump();
  }

  /** There is no connection: nothing new is sent. */
  lose(): void {
    this.#isOpen = false;
  }

  /** Sends what waits, for the last time, if there is a connection; what becomes of it nobody is told. */
  finish(): void {
    if (this.#isOpen && this.#waiting.length > 0) {
      this.#parts.write(Y.mergeUpdates(this.#waiting)).catch(() => {});
    }
    this.stop();
  }

  stop(): void {
    this.#isOver = true;
    this.#waiting = [];
    this.#endPause?.();
  }

  #pump(): void {
    const isHeldUp = !this.#isOpen || this.#isHeld || this.#endPause !== undefined;
    if (isHeldUp || this.#isOver || this.#sending !== undefined) return;
    if (this.#waiting.length === 0) return;
    const update = Y.mergeUpdates(this.#waiting);
    this.#waiting = [];
    this.#sending = update;
    void this.#send(update);
  }

  async #send(update: Uint8Array): Promise<void> {
    let refusal: ClientError | undefined;
    try {
      await this.#parts.write(update);
    } catch (error) {
      refusal = error as ClientError;
    }
    this.#sending = undefined;
    if (this.#isOver) return;
    this.#refusal = refusal;
    if (refusal !== undefined) {
      this.#waiting.unshift(update);
      this.#isHeld = true;
      this.#notBefore = this.#parts.clock.now() + REFUSED_MS;
    } else {
      this.#endPause = this.#parts.clock.after(PAUSE_MS, () => {
        this.#endPause = undefined;
        this.#pump();
      });
    }
    this.#pump();
    this.#parts.settled(refusal);
  }
}
