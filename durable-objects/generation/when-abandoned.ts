/**
 * Owns what becomes of an answer when its last viewer leaves: it is written on, cancelled, or
 * cancelled after a while. Refuses to know how an answer is stopped and who its viewers are.
 */
import { FIRST_VIEWER_MS } from "../../src/protocol/limits.ts";
import type { Clock } from "../../src/stream/clock.ts";

/** What becomes of an answer that nobody watches. */
export type WhenAbandoned =
  | { readonly kind: "continue" }
  | { readonly kind: "cancel" }
  | { readonly kind: "grace"; readonly seconds: number };

export type PolicyKind = WhenAbandoned["kind"];

/** Reads `continue`, `cancel` or `grace=<seconds>`; undefined for anything else. */
export function parseWhenAbandoned(text: string): WhenAbandoned | undefined {
  if (text === "continue" || text === "cancel") return { kind: text };
  const seconds = /^grace=([0-9]{1,6})$/.exec(text)?.[1];
  return seconds === undefined ? undefined : { kind: "grace", seconds: Number(seconds) };
}

interface AbandonmentOptions {
  readonly policy: WhenAbandoned;
  readonly clock: Clock;
  /** Called when nobody has watched for as long as the policy allows. */
  readonly abandoned: () => void;
}

/** Watches over one running answer. */
export class Abandonment implements Disposable {
  readonly #options: AbandonmentOptions;
  #disarm: (() => void) | undefined;

  /** Nobody watches yet: who asked for the answer is on the way. */
  constructor(options: AbandonmentOptions) {
    this.#options = options;
    const { policy } = options;
    if (policy.kind !== "continue") this.#wait(Math.max(FIRST_VIEWER_MS, graceOf(policy)));
  }

  /** So many watch now. */
  watchedBy(viewers: number): void {
    const { policy, abandoned } = this.#options;
    if (viewers > 0) {
      this[Symbol.dispose]();
      return;
    }
    if (policy.kind === "continue" || this.#disarm !== undefined) return;
    if (graceOf(policy) === 0) abandoned();
    else this.#wait(graceOf(policy));
  }

  [Symbol.dispose](): void {
    this.#disarm?.();
    this.#disarm = undefined;
  }

  #wait(ms: number): void {
    const { clock, abandoned } = this.#options;
    this.#disarm = clock.after(ms, () => {
      this.#disarm = undefined;
      abandoned();
    });
  }
}

function graceOf(policy: WhenAbandoned): number {
  return policy.kind === "grace" ? policy.seconds * 1000 : 0;
}
