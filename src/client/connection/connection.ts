/**
 * Owns one connection at a time and brings it back: does what the machine's states ask for with a
 * transport, a timer and the platform's signals. Refuses to know what the connection carries.
 */
import type { Context } from "../context.ts";
import type { ConnectionState, Observable } from "../state.ts";
import { Store } from "../store.ts";
import type { Link, Transport } from "../transport.ts";
import { STABLE_MS } from "./backoff.ts";
import {
  ASLEEP,
  attempt,
  catchUp,
  fail,
  type Input,
  isOpen,
  notice,
  open,
  rest,
  retryAfter,
  settle,
  start,
  step,
  stop,
} from "./machine.ts";
import { listenToSignals } from "./signals.ts";
import { timerOf } from "./timer.ts";

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

/** A connection that comes back. */
export interface Connection<Send> {
  readonly state: Observable<ConnectionState>;
  /** Connects, if nothing has. */
  readonly start: () => void;
  /** Gives the connection up until somebody starts it again. */
  readonly rest: () => void;
  /** Ends it for good. */
  stop(because: string, message: string): void;
  /** Sends, if the connection stands. */
  send(command: Send): void;
  /** All that was missed has come. */
  caughtUp(): void;
}

/** A connection that nobody has started yet. */
export function connectionOf<Resume, Event, Send>(
  { clock, random, tokens }: Context,
  transport: Transport<Resume, Event, Send>,
  owner: ConnectionOwner<Resume, Event>,
): Connection<Send> {
  const store = new Store<ConnectionState>(ASLEEP.state);
  const setTimer = timerOf(clock);
  let machine = ASLEEP;
  let link: Link<Send> | undefined;
  /** The token of the last attempt, and the last that was refused: no attempt shall have it again. */
  let token: string | undefined;
  let refused: string | undefined;
  let mute: (() => void) | undefined;

  const take = (input: Input): void => {
    const before = machine.state;
    const now = clock.now();
    machine = step(machine, input, { now, chance: random() });
    const { state } = machine;
    if (state === before) return;
    const takeAfter = (ms: number, next: Input): void => {
      setTimer(ms, () => {
        take(next);
      });
    };
    if (!isOpen(state)) {
      if (isOpen(before)) owner.lost?.();
      setTimer();
      link?.close();
      link = undefined;
      if (state.kind === "connecting") connect();
      else if (state.kind === "waiting") takeAfter(state.until - now, attempt);
    } else if (!isOpen(before)) takeAfter(STABLE_MS, settle);
    // A transport may have told something at once.
    if (state !== machine.state) return;
    if (state.kind === "idle" || state.kind === "closed") {
      mute?.();
      mute = undefined;
    } else {
      mute ??= listenToSignals((signal) => {
        // What seems to stand may be dead.
        if (isOpen(machine.state) && signal !== "left") link?.probe();
        else take(notice(signal));
      });
    }
    if (state.kind === "closed") owner.closed(state.because, state.message);
    store.set(state);
  };

  /** What throws would do so again: the next attempt would be no better. */
  const orEnd = (because: string, run: () => void): void => {
    try {
      run();
    } catch (thrown) {
      take(stop(because, String(thrown)));
    }
  };

  const connect = (): void => {
    // A transport may be of the application's own.
    orEnd("bad_transport", () => {
      link = transport.open(
        {
          resume: owner.resume(),
          token: async () => (token = await tokens(refused)),
        },
        {
          opened(isBehind, tab) {
            take(open(isBehind, tab));
            owner.opened?.();
          },
          caughtUp,
          event(event) {
            orEnd("bad_answer", () => {
              owner.event(event);
            });
          },
          retry(ms) {
            take(retryAfter(ms));
          },
          failed(failure) {
            link = undefined;
            if (failure.reconnect === "refresh") refused = token;
            take(fail(failure));
          },
        },
      );
    });
  };

  const caughtUp = (): void => {
    take(catchUp);
  };

  return {
    state: store,
    start() {
      take(start);
    },
    rest() {
      take(rest);
    },
    stop(because, message) {
      take(stop(because, message));
    },
    send(command) {
      link?.send(command);
    },
    caughtUp,
  };
}
