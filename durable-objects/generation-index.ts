/**
 * Owns the translation between the platform and the index of one caller's generations. Refuses to
 * decide anything about it.
 */
import { DurableObject } from "cloudflare:workers";
import { systemClock } from "../src/stream/clock.ts";
import { GenerationIndex, type Reservation } from "./generation/running-index.ts";
import { type Outcome, outcome } from "./platform/outcome.ts";

export class GenerationIndexObject extends DurableObject<object> {
  readonly #index: GenerationIndex;

  constructor(ctx: DurableObjectState, env: object) {
    super(ctx, env);
    this.#index = new GenerationIndex(ctx.storage.sql, systemClock);
  }

  /** Notes a generation before it starts; answers with the one that it replaces in its chat. */
  async reserve(reservation: Reservation): Promise<Outcome<string | undefined>> {
    return await outcome("generation-index", () => this.#index.reserve(reservation));
  }

  /** A generation has ended. */
  release(id: string): void {
    this.#index.release(id);
  }

  /** The generation that is being written for a chat. */
  activeIn(chat: string): string | undefined {
    return this.#index.activeIn(chat);
  }
}
