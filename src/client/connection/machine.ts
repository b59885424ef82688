/**
 * Owns what a client does about its connection: a pure function from what is and what happened to what
 * is then and what is to be done. Refuses to do it, and to know time and chance: both are passed in.
 */
import type { ConnectedTab, ConnectionState } from "../state.ts";
import type { Failure } from "../transport.ts";
import { backoff, FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS, STABLE_MS } from "./backoff.ts";

/** All there is to know. */
export interface Machine {
  readonly state: ConnectionState;
  /** Attempts that failed since the last good connection. */
  readonly attempts: number;
  /** Milliseconds that the server asks those who lost their connection to stay away. */
  readonly retryMs: number;
  /** Not to be tried before, whatever else happens: milliseconds since 1970. */
  readonly notBefore: number;
  /** What the token of the last attempt is worth: `stale` is to be replaced, `renewed` just was. */
  readonly token: "usable" | "stale" | "renewed";
}

/** What happens. */
export type Input =
  | { readonly kind: "start" }
  /** Nobody needs the connection for now. */
  | { readonly kind: "rest" }
  | { readonly kind: "stop"; readonly because: string; readonly message: string }
  | { readonly kind: "opened"; readonly isBehind: boolean; readonly tab?: ConnectedTab }
  | { readonly kind: "caught-up" }
  | { readonly kind: "retry"; readonly ms: number }
  | { readonly kind: "failed"; readonly failure: Failure }
  /** The timer of that name went off. */
  | { readonly kind: "stable" }
  | { readonly kind: "due" }
  /** What the platform tells of the network and the page. */
  | { readonly kind: "offline" | "online" | "visible" };

/** What is to be done, in this order. */
export type Command =
  | { readonly kind: "open"; readonly refresh: boolean }
  /** Gives up the link and calls the timer off, as far as there are any. */
  | { readonly kind: "drop" }
  /** Finds out whether the link still stands. */
  | { readonly kind: "probe" }
  /** Replaces the timer: `stable` or `due` is the next input then, unless another timer is set. */
  | { readonly kind: "wait"; readonly ms: number; readonly next: "stable" | "due" };

/** Time and chance at the moment of an input. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** From 0 to 1. */
  readonly chance: number;
}

type Step = readonly [Machine, readonly Command[]];

const DROP: Command = { kind: "drop" };

/** Before the first input. */
export const ASLEEP: Machine = {
  state: { kind: "idle" },
  attempts: 0,
  retryMs: 0,
  notBefore: 0,
  token: "usable",
};

/** Whether a connection stands. */
export function isOpen({ kind }: ConnectionState): boolean {
  return kind === "live" || kind === "catching-up";
}

/** What is after an input, and what is to be done. Ends are final: a closed machine stays as it is. */
export function step(machine: Machine, input: Input, around: Surroundings): Step {
  const { state } = machine;
  const stay: Step = [machine, []];
  if (state.kind === "closed") return stay;
  switch (input.kind) {
    case "start":
      return state.kind === "idle" ? open(machine) : stay;
    case "rest":
      return state.kind === "idle" ? stay : [{ ...machine, state: { kind: "idle" } }, [DROP]];
    case "stop":
      return close(machine, input.because, input.message);
    case "retry":
      return [{ ...machine, retryMs: input.ms }, []];
    case "opened":
      if (state.kind !== "connecting") return stay;
      return [
        { ...machine, state: { kind: input.isBehind ? "catching-up" : "live", tab: input.tab } },
        [{ kind: "wait", ms: STABLE_MS, next: "stable" }],
      ];
    case "caught-up":
      return state.kind === "catching-up"
        ? [{ ...machine, state: { ...state, kind: "live" } }, []]
        : stay;
    case "stable":
      return isOpen(state) ? [{ ...machine, attempts: 0, token: "usable" }, []] : stay;
    case "due":
      return state.kind === "waiting" ? open(machine) : stay;
    case "failed":
      return state.kind === "connecting" || isOpen(state)
        ? fail(machine, input.failure, around)
        : stay;
    case "offline":
    case "online":
    case "visible": {
      if (isOpen(state)) return [machine, [{ kind: "probe" }]];
      if (state.kind !== "waiting") return stay;
      const { now, chance } = around;
      // Not for ever: networks are there that a browser does not see.
      if (input.kind === "offline") {
        return wait(machine, state.because, now + LONGEST_BACKOFF_MS, now);
      }
      // With a little chance: a building whose network returns has many clients.
      const soon = Math.max(machine.notBefore, now) + chance * FIRST_BACKOFF_MS;
      return soon < state.until ? wait(machine, state.because, soon, now) : stay;
    }
  }
}

function open(machine: Machine): Step {
  const refresh = machine.token === "stale";
  return [
    { ...machine, state: { kind: "connecting" }, token: refresh ? "renewed" : machine.token },
    [DROP, { kind: "open", refresh }],
  ];
}

function close(machine: Machine, because: string, message: string): Step {
  return [{ ...machine, state: { kind: "closed", because, message } }, [DROP]];
}

function fail(
  machine: Machine,
  { code, message, reconnect, retryAfterMs = 0 }: Failure,
  { now, chance }: Surroundings,
): Step {
  const isRefused = reconnect === "refresh";
  const token = isRefused ? "stale" : machine.token;
  // At once, because nothing is wrong but the token.
  if (isRefused && machine.token !== "renewed") return open({ ...machine, token });
  // A token that is new and refused: another one would be no better.
  const isHopeless = isRefused && machine.state.kind === "connecting";
  if (reconnect === "no" || isHopeless) return close(machine, code, message);
  const floor = Math.max(retryAfterMs, machine.retryMs);
  return wait(
    { ...machine, token, attempts: machine.attempts + 1, notBefore: now + floor },
    code,
    now + backoff(machine.attempts, floor, chance),
    now,
  );
}

function wait(machine: Machine, because: string, until: number, now: number): Step {
  return [
    { ...machine, state: { kind: "waiting", until, because } },
    [DROP, { kind: "wait", ms: until - now, next: "due" }],
  ];
}
