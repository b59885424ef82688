/**
 * Owns what a client does about its connection: pure functions from what is and what happened to what
 * is then. Refuses to do anything about it, and to know time and chance: both are passed in.
 */
import type { ConnectedTab, ConnectionState } from "../state.ts";
import type { Failure } from "../transport.ts";
import {
  backoff,
  FIRST_BACKOFF_MS,
  LONGEST_BACKOFF_MS,
  LONGEST_RETRY_AFTER_MS,
} from "./backoff.ts";
import type { Signal } from "./signals.ts";

/** All there is to know. */
export interface Machine {
  readonly state: ConnectionState;
  /** Attempts that failed since the last good connection. */
  readonly attempts: number;
  /** Milliseconds that the server asks those who lost their connection to stay away. */
  readonly retryMs: number;
  /** Not to be tried before, whatever else happens: milliseconds since 1970. */
  readonly notBefore: number;
  /** Whether a token was refused since the last good connection, and another one got. */
  readonly isRenewed: boolean;
}

/** Time and chance at the moment of an input. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** From 0 to 1. */
  readonly chance: number;
}

/** Something that happens: what is different after it, whatever was before or depending on it. */
export type Input =
  | Partial<Machine>
  | ((machine: Machine, around: Surroundings) => Partial<Machine>);

/** Before the first input. */
export const ASLEEP: Machine = {
  state: { kind: "idle" },
  attempts: 0,
  retryMs: 0,
  notBefore: 0,
  isRenewed: false,
};

/** Whether a connection stands. */
export function isOpen({ kind }: ConnectionState): boolean {
  return kind === "live" || kind === "catching-up";
}

/** What is after an input. Ends are final: a closed machine stays as it is. */
export function step(machine: Machine, input: Input, around: Surroundings): Machine {
  if (machine.state.kind === "closed") return machine;
  return { ...machine, ...(typeof input === "function" ? input(machine, around) : input) };
}

/** It is time for the next attempt. */
export function attempt(): Partial<Machine> {
  // Another object each time: it is another attempt.
  return { state: { kind: "connecting" } };
}

/** Somebody needs the connection. */
export const start: Input = ({ state }) => (state.kind === "idle" ? attempt() : {});

/** Nobody needs it for now. */
export const rest: Input = { state: ASLEEP.state };

/** It shall end for good. */
export function stop(because: string, message: string): Partial<Machine> {
  return { state: { kind: "closed", because, message } };
}

/** The server has answered the attempt. */
export function open(isBehind: boolean, tab: ConnectedTab): Input {
  return ({ state }) =>
    state.kind === "connecting" ? { state: { kind: isBehind ? "catching-up" : "live", tab } } : {};
}

/** What was missed has come. */
export const catchUp: Input = ({ state }) =>
  state.kind === "catching-up" ? { state: { ...state, kind: "live" } } : {};

/** The server asks those who lose their connection to stay away so long. */
export function retryAfter(retryMs: number): Input {
  return { retryMs };
}

/** The connection has stood long enough to count as good. */
export const settle: Input = { attempts: 0, isRenewed: false };

/** The attempt has failed, or the connection broke. */
export function fail({ code, message, reconnect, retryAfterMs = 0 }: Failure): Input {
  return ({ state, attempts, retryMs, isRenewed }, { now, chance }) => {
    const isAttempt = state.kind === "connecting";
    if (!isAttempt && !isOpen(state)) return {};
    const isRefused = reconnect === "refresh";
    // At once, because nothing is wrong but the token.
    if (isRefused && !isRenewed) return { ...attempt(), isRenewed: true };
    // A token that is new and refused: another one would be no better.
    if (reconnect === "no" || (isRefused && isAttempt)) {
      return stop(code, message);
    }
    const floor = Math.min(Math.max(retryAfterMs, retryMs), LONGEST_RETRY_AFTER_MS);
    return {
      attempts: attempts + 1,
      notBefore: now + floor,
      state: { kind: "waiting", until: now + backoff(attempts, floor, chance), because: code },
    };
  };
}

/** The platform tells of the network or the page. */
export function notice(signal: Signal): Input {
  // As any other loss: if the page goes on, so does the wait for another connection.
  if (signal === "left") return fail({ code: "page_left", message: "", reconnect: "backoff" });
  return ({ state, notBefore }, { now, chance }) => {
    if (state.kind !== "waiting") return {};
    const soonest = Math.max(notBefore, now);
    const until =
      signal === "offline"
        ? // Not for ever: networks are there that a browser does not see.
          soonest + LONGEST_BACKOFF_MS
        : // With a little chance: a building whose network returns has many clients.
          Math.min(soonest + chance * FIRST_BACKOFF_MS, state.until);
    return until === state.until ? {} : { state: { ...state, until } };
  };
}
