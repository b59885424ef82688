/**
 * Owns requests for the server's state of a document: one at a time, and another one when something happened that the one
 * under way may not know of. Refuses to know what is done with it.
 */
import type { ClientError } from "../errors.ts";

/** What a puller works with. */
export interface PullerParts {
  /** Asks for the state. Rejects with a `ClientError` when it is refused for good. */
  read(signal: AbortSignal): Promise<readonly Uint8Array[]>;
  /**
   * The state has come.
   *
   * @param heard what the server had told before it came, and after it was asked for.
   */
  pulled(state: readonly Uint8Array[], heard: readonly Uint8Array[]): void;
  /** It is refused for good. */
  refused(error: ClientError): void;
}

export class Puller {
  readonly #parts: PullerParts;
  #isWanted = false;
  #running: AbortController | undefined;
  #heard: Uint8Array[] = [];

  constructor(parts: PullerParts) {
    this.#parts = parts;
  }

  /** Whether the state is still to come. */
  get isDue(): boolean {
    return this.#running !== undefined;
  }

  /** Asks for the state as it is from now on. */
  want(): void {
    this.#isWanted = true;
    if (this.#running === undefined) void this.#run();
  }

  /** Asks at once: a request under way may be waiting for a network that is back. */
  hurry(): void {
    this.stop();
    this.want();
  }

  /** The server has told of a change. */
  hear(update: Uint8Array): void {
    if (this.#running !== undefined) this.#heard.push(update);
  }

  stop(): void {
    this.#isWanted = false;
    this.#running?.abort();
    this.#running = undefined;
  }

  async #run(): Promise<void> {
    const own = new AbortController();
    this.#running = own;
    const isOver = (): boolean => own.signal.aborted;
    while (this.#isWanted) {
      this.#isWanted = false;
      this.#heard = [];
      let state: readonly Uint8Array[];
      try {
        state = await this.#parts.read(own.signal);
      } catch (error) {
        if (isOver()) return;
        this.stop();
        this.#parts.refused(error as ClientError);
        return;
      }
      if (isOver()) return;
      const heard = this.#heard;
      this.#heard = [];
      if (!this.#isWanted) this.#running = undefined;
      this.#parts.pulled(state, heard);
      if (this.#running !== own) return;
    }
  }
}
