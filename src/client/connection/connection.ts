/**
 * Owns one connection at a time and brings it back: runs the machine's commands against a transport,
 * a timer and the platform's signals. Refuses to know what the connection carries.
 */
import type { Context } from "../context.ts";
import type { ConnectionState } from "../state.ts";
import { Store } from "../store.ts";
import type { Failure, Link, LinkObserver, Transport } from "../transport.ts";
import { ASLEEP, type Command, type Input, isOpen, type Machine, step } from "./machine.ts";
import { listenToSignals } from "./signals.ts";

/** Whose connection it is. */
export interface ConnectionOwner<Resume, Event> {
  /** Where to go on, asked at each attempt. */
  resume(): Resume;
  event(event: Event): void;
  /** The server has answered an attempt. */
  opened?(): void;
  /** A connection that stood does not any more. */
  lost?(): void;
  /** It is over for good; told once, before anyone who watches the state. */
  closed(because: string, message: string): void;
}

export class Connection<Resume, Event, Send> implements LinkObserver<Event> {
  readonly state = new Store<ConnectionState>(ASLEEP.state);
  readonly #context: Context;
  readonly #transport: Transport<Resume, Event, Send>;
  readonly #owner: ConnectionOwner<Resume, Event>;
  #machine: Machine = ASLEEP;
  #link: Link<Send> | undefined;
  /** The token of the last attempt. */
  #token: string | undefined;
  #disarm: (() => void) | undefined;
  #mute: (() => void) | undefined;

  constructor(
    context: Context,
    transport: Transport<Resume, Event, Send>,
    owner: ConnectionOwner<Resume, Event>,
  ) {
    this.#context = context;
    this.#transport = transport;
    this.#owner = owner;
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

  /** Sends, if the connection stands. */
  send(command: Send): void {
    this.#link?.send(command);
  }

  opened(isBehind: boolean, tab?: "this" | "other"): void {
    this.#take({ kind: "opened", isBehind, tab });
    this.#owner.opened?.();
  }

  caughtUp(): void {
    this.#take({ kind: "caught-up" });
  }

  event(event: Event): void {
    this.#owner.event(event);
  }

  retry(ms: number): void {
    this.#take({ kind: "retry", ms });
  }

  failed(failure: Failure): void {
    this.#link = undefined;
    this.#take({ kind: "failed", failure });
  }

  #take(input: Input): void {
    const { clock, random } = this.#context;
    const before = this.#machine.state;
    const [machine, commands] = step(this.#machine, input, { now: clock.now(), chance: random() });
    const { state } = machine;
    this.#machine = machine;
    if (isOpen(before) && !isOpen(state)) this.#owner.lost?.();
    for (const command of commands) this.#run(command);
    if (state === before) return;
    this.#listen(state.kind !== "idle" && state.kind !== "closed");
    if (state.kind === "closed") this.#owner.closed(state.because, state.message);
    this.state.set(state);
  }

  /** As any other loss: if the page goes on, so does the wait for another connection. */
  #lose(code: string): void {
    this.#take({ kind: "failed", failure: { code, message: code, reconnect: "backoff" } });
  }

  #run(command: Command): void {
    switch (command.kind) {
      case "open":
        this.#open(command.refresh ? this.#token : undefined);
        return;
      case "drop":
        this.#disarm?.();
        this.#link?.close();
        this.#link = undefined;
        return;
      case "probe":
        this.#link?.probe();
        return;
      case "wait": {
        this.#disarm?.();
        const { next } = command;
        this.#disarm = this.#context.clock.after(command.ms, () => {
          this.#take({ kind: next });
        });
      }
    }
  }

  #open(refused: string | undefined): void {
    const token = async (): Promise<string | undefined> => {
      this.#token = await this.#context.tokens.get(refused);
      return this.#token;
    };
    this.#link = this.#transport.open({ resume: this.#owner.resume(), token }, this);
  }

  #listen(isActive: boolean): void {
    if (isActive) {
      this.#mute ??= listenToSignals((kind) => {
        if (kind === "page_left") this.#lose(kind);
        else this.#take({ kind });
      });
    } else {
      this.#mute?.();
      this.#mute = undefined;
    }
  }
}
