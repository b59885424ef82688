/**
 * Owns the token of a connection that stands: another one is sent before the server would close for
 * its end (P94). Refuses to know what it opens.
 */
import type { Context } from "../context.ts";

/** Milliseconds before its end at which a token is replaced, or half of what it has left, if that is less. */
const AHEAD_MS = 30_000;

/** Milliseconds of the longest timer that runtimes have. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What a new token goes out by. */
interface RenewalLine {
  send(frame: { readonly kind: "refresh"; readonly token: string }): void;
}

export class Renewal {
  readonly #context: Context;
  readonly #line: RenewalLine;
  #disarm: (() => void) | undefined;
  #isOver = true;

  constructor(context: Context, line: RenewalLine) {
    this.#context = context;
    this.#line = line;
  }

  /** The token ends in so many milliseconds; undefined: never. */
  begin(expiresIn: number | undefined): void {
    this.end();
    // A token that is always the same cannot be replaced.
    const isFixed = typeof this.#context.options.token !== "function";
    if (expiresIn === undefined || expiresIn > LONGEST_TIMER_MS || isFixed) return;
    this.#isOver = false;
    const ms = Math.max(expiresIn - AHEAD_MS, expiresIn / 2);
    this.#disarm = this.#context.clock.after(ms, () => {
      void this.#renew();
    });
  }

  /** The connection is gone. */
  end(): void {
    this.#isOver = true;
    this.#disarm?.();
  }

  /** If it fails, the connection stands until the server closes it, and comes back with a new token. */
  async #renew(): Promise<void> {
    const { tokens } = this.#context;
    try {
      const token = await tokens(await tokens());
      if (token !== undefined && !this.#isOver) this.#line.send({ kind: "refresh", token });
    } catch {
      // Said where a token is needed next.
    }
  }
}
