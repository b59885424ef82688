/**
 * Owns one connection at a time and brings it back: runs the machine's commands against a transport,
 * a timer and the platform's signals. Refuses to know what the connection carries.
 */
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import type { ConnectionState, Observable } from "../state.ts";
import { Store } from "../store.ts";
import type { Link, LinkObserver, Transport } from "../transport.ts";
import { ASLEEP, type Command, type Input, type Machine, step } from "./machine.ts";
import { listenToSignals } from "./signals.ts";

/** What a connection is made of. */
export interface ConnectionParts<Resume, Event, Send> {
  readonly context: Context;
  readonly transport: Transport<Resume, Event, Send>;
  /** Where to go on, asked at each attempt. */
  readonly resume: () => Resume;
  readonly event: (event: Event) => void;
  /** Told when the server has answered an attempt. */
  readonly opened?: () => void;
  /** Told when a connection that stood does not any more. */
  readonly lost?: () => void;
  /** Told once, when the connection is over for good. */
  readonly closed?: (because: string, message: string) => void;
}

export class Connection<Resume, Event, Send> {
  readonly #parts: ConnectionParts<Resume, Event, Send>;
  readonly #state = new Store<ConnectionState>(ASLEEP.state);
  #machine: Machine = ASLEEP;
  #link: Link<Send> | undefined;
  /** The token of the last attempt. */
  #token: string | undefined;
  #disarm: (() => void) | undefined;
  #mute: (() => void) | undefined;

  constructor(parts: ConnectionParts<Resume, Event, Send>) {
    this.#parts = parts;
  }

  get state(): Observable<ConnectionState> {
    return this.#state;
  }

  /** Whether the server has answered and the connection stands. */
  get isOpen(): boolean {
    const { kind } = this.#machine.state;
    return kind === "live" || kind === "catching-up";
  }

  /** Connects, if nothing has. */
  start(): void {
    this.#take({ kind: "start" });
  }

  /** Gives the connection up until somebody starts it again. */
  rest(): void {
    this.#take({ kind: "rest" });
  }

  /** Ends it for good. */
  stop(because: string, message: string): void {
    this.#take({ kind: "stop", because, message });
  }

  /** Resolves when the connection stands; rejects when it never will. */
  async whenOpen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        const state = this.#state.get();
        if (state.kind === "closed") reject(new ClientError(state.because, state.message));
        else if (this.isOpen) resolve();
        else return;
        stop();
      };
      const stop = this.#state.onChange(look);
      look();
    });
  }

  caughtUp(): void {
    this.#take({ kind: "caught-up" });
  }

  /** Sends, if the connection stands. */
  send(command: Send): void {
    this.#link?.send(command);
  }

  #take(input: Input): void {
    const { clock, random } = this.#parts.context;
    const before = this.#machine.state;
    const wasOpen = this.isOpen;
    const [machine, commands] = step(this.#machine, input, { now: clock.now(), chance: random() });
    this.#machine = machine;
    if (wasOpen && !this.isOpen) this.#parts.lost?.();
    for (const command of commands) this.#run(command);
    const { state } = machine;
    if (state === before) return;
    this.#listen(state.kind !== "idle" && state.kind !== "closed");
    // What ends with the connection is over before anyone is told that it is.
    if (state.kind === "closed") this.#parts.closed?.(state.because, state.message);
    this.#state.set(state);
  }

  #run(command: Command): void {
    switch (command.kind) {
      case "open":
        this.#open(command.refresh);
        return;
      case "drop":
        this.#link?.close();
        this.#link = undefined;
        return;
      case "probe":
        this.#link?.probe();
        return;
      case "wait": {
        this.#disarm?.();
        const { next } = command;
        this.#disarm = this.#parts.context.clock.after(command.ms, () => {
          this.#disarm = undefined;
          this.#take({ kind: next });
        });
        return;
      }
      case "hush":
        this.#disarm?.();
        this.#disarm = undefined;
    }
  }

  #open(refresh: boolean): void {
    const { context, transport, resume, event, opened } = this.#parts;
    const refused = refresh ? this.#token : undefined;
    const link: Link<Send> = transport.open(
      {
        resume: resume(),
        token: async () => {
          this.#token = await context.tokens.get(refused);
          return this.#token;
        },
      },
      // A link tells nothing before it is returned, and nothing after it was closed.
      {
        opened: (isBehind) => {
          this.#take({ kind: "opened", isBehind });
          opened?.();
        },
        caughtUp: () => {
          this.caughtUp();
        },
        retry: (ms) => {
          this.#take({ kind: "retry", ms });
        },
        failed: (failure) => {
          this.#link = undefined;
          this.#take({ kind: "failed", failure });
        },
        event,
      } satisfies LinkObserver<Event>,
    );
    this.#link = link;
  }

  #listen(isActive: boolean): void {
    if (!isActive) {
      this.#mute?.();
      this.#mute = undefined;
      return;
    }
    this.#mute ??= listenToSignals((kind) => {
      this.#take({ kind });
    });
  }
}
