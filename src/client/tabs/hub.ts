/**
 * Owns the leader's connections: one for each thing that is asked for, whoever asks. Refuses to know where
 * the tabs are, and what the connections are to.
 */
import type { Context } from "../context.ts";
import type { Link, LinkObserver, Transport } from "../transport.ts";
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

export class Hub {
  readonly #context: Context;
  readonly #surface: Surface;
  readonly #lines = new Set<ServingLine<Target>>();
  readonly #timers = new Set<() => void>();
  #links = 0;
  /** A token that the server would not have. */
  #refused: string | undefined;

  constructor(context: Context, surface: Surface) {
    this.#context = context;
    this.#surface = surface;
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
    const made = this.#surface.make(this.#context, target, this.#upstream);
    this.#lines.add(made);
    this.#expire(made);
    return made.line;
  }

  /** Forgets a line after nobody was there twice in a row. */
  #expire(one: ServingLine<Target>, wasEmpty = false): void {
    const callOff = this.#context.clock.after(IDLE_MS, () => {
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
      let shown: string | undefined;
      const token = async (): Promise<string | undefined> => {
        shown = await this.#context.tokens.get(this.#refused);
        return shown;
      };
      const watched = withChanged(observer, {
        failed: (failure) => {
          if (failure.reconnect === "refresh") this.#refused = shown;
          observer.failed(failure);
        },
      });
      return transport.open({ resume, token }, watched);
    };
  };
}
