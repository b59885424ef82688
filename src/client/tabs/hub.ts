/**
 * Owns the leader's connections: one for each thing that is asked for, whoever asks. Refuses to know where
 * the tabs are, and what the connections are to.
 */
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import type { Failure, Link, LinkObserver, Transport } from "../transport.ts";
import { meaningOf } from "./claims.ts";
import type { AnyCommand, AnyEvent, Target } from "./messages.ts";
import {
  type Line,
  type OpenUpstream,
  type ServingLine,
  type Surface,
  withChanged,
} from "./seat.ts";

/** Milliseconds for which the newest events of a connection that nobody reads are kept: a reload's time. */
const IDLE_MS = 60_000;

/** The code where the application gives no token. */
const NO_TOKEN = "token";

/** What a hub is made with. */
export interface HubParts {
  readonly context: Context;
  /** What it has connections to. */
  readonly surface: Surface;
  /** What the tokens of all who ask mean. */
  readonly meaning: string;
  /** This tab has no token for them: another may have. */
  readonly unfit: (failure: Failure) => void;
}

export class Hub {
  readonly #parts: HubParts;
  readonly #lines = new Set<ServingLine<Target>>();
  readonly #timers = new Set<() => void>();
  #links = 0;
  /** A token that the server would not have. */
  #refused: string | undefined;

  constructor(parts: HubParts) {
    this.#parts = parts;
  }

  /** Whether nobody has a connection by it. */
  get isIdle(): boolean {
    return this.#links === 0;
  }

  /** A seat at the connection to a target of this surface. */
  open(target: Target, observer: LinkObserver<AnyEvent>): Link<AnyCommand> {
    this.#links += 1;
    let isOver = false;
    const finish = (): void => {
      if (!isOver) this.#links -= 1;
      isOver = true;
    };
    const watched = withChanged(observer, {
      failed: (failure) => {
        finish();
        observer.failed(failure);
      },
    });
    const line = this.#lineTo(target) as unknown as Line<unknown, AnyEvent, AnyCommand>;
    const link = line.open(target.resume, watched);
    return {
      send: (command) => {
        link.send(command);
      },
      probe: () => {
        link.probe();
      },
      close: () => {
        finish();
        link.close();
      },
    };
  }

  close(): void {
    for (const { line } of this.#lines) line.close();
    for (const callOff of this.#timers) callOff();
    this.#lines.clear();
    this.#timers.clear();
  }

  #lineTo(target: Target): ServingLine<Target>["line"] {
    for (const one of this.#lines) if (one.serves(target)) return one.line;
    const made = this.#parts.surface.make(this.#parts.context, target, this.#upstream);
    this.#lines.add(made);
    this.#expire(made);
    return made.line;
  }

  /** Forgets a line after nobody was there twice in a row. */
  #expire(one: ServingLine<Target>, wasEmpty = false): void {
    const callOff = this.#parts.context.clock.after(IDLE_MS, () => {
      this.#timers.delete(callOff);
      const { isEmpty } = one.line;
      if (isEmpty && wasEmpty) this.#lines.delete(one);
      else this.#expire(one, isEmpty);
    });
    this.#timers.add(callOff);
  }

  /** Connections of this tab, with its token. */
  readonly #upstream = <Resume, Event, Command>(
    transport: Transport<Resume, Event, Command>,
  ): OpenUpstream<Resume, Event, Command> => {
    return (resume, observer) => {
      const { context, meaning, unfit } = this.#parts;
      let shown: string | undefined;
      /** Whether another token would be no better. */
      let isLast = false;
      const token = async (): Promise<string | undefined> => {
        isLast = this.#refused !== undefined;
        shown = await context.tokens(this.#refused);
        if (meaningOf(shown) !== meaning) throw new ClientError(NO_TOKEN, "It is another's now.");
        return shown;
      };
      const watched = withChanged(observer, {
        opened: (isBehind) => {
          isLast = false;
          this.#refused = undefined;
          observer.opened(isBehind);
        },
        failed: (failure) => {
          const isRefused = failure.reconnect === "refresh";
          if (isRefused) this.#refused = shown;
          if (failure.code === NO_TOKEN || (isRefused && isLast)) unfit(failure);
          else observer.failed(failure);
        },
      });
      return transport.open({ resume, token }, watched);
    };
  };
}
