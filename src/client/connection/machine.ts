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
  | { readonly kind: "offline" }
  | { readonly kind: "online" | "visible" }
  | { readonly kind: "hidden" };

/** What is to be done, in this order. */
export type Command =
  | { readonly kind: "open"; readonly refresh: boolean }
  /** Gives up the link, if there is one. */
  | { readonly kind: "drop" }
  /** Finds out whether the link still stands. */
  | { readonly kind: "probe" }
  /** Replaces the timer: `stable` or `due` is the next input then, unless another timer is set. */
  | { readonly kind: "wait"; readonly ms: number; readonly next: "stable" | "due" }
  /** Calls the timer off. */
  | { readonly kind: "hush" };

/** Time and chance at the moment of an input. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** From 0 to 1. */
  readonly chance: number;
}

type Step = readonly [Machine, readonly Command[]];

const DROP: readonly Command[] = [{ kind: "drop" }, { kind: "hush" }];

/** Before the first input. */
export const ASLEEP: Machine = {
  state: { kind: "idle" },
  attempts: 0,
  retryMs: 0,
  notBefore: 0,
  token: "usable",
};

/** What is after an input, and what is to be done. Ends are final: a closed machine stays as it is. */
export function step(machine: Machine, input: Input, around: Surroundings): Step {
  const { state } = machine;
  if (state.kind === "closed") return [machine, []];
  switch (input.kind) {
    case "start":
      return state.kind === "idle" ? open(machine) : [machine, []];
    case "rest":
      return [{ ...machine, state: { kind: "idle" } }, state.kind === "idle" ? [] : DROP];
    case "stop":
      return close(machine, input);
    case "retry":
      return [{ ...machine, retryMs: input.ms }, []];
    case "hidden":
      // Connections of a hidden page go on as well as its browser lets them.
      return [machine, []];
    case "opened":
    case "caught-up":
    case "stable":
    case "due":
    case "failed":
    case "offline":
    case "online":
    case "visible":
      return respond(machine, input, around);
  }
}

/** To what only means something in some states. */
function respond(
  machine: Machine,
  input: Exclude<Input, { kind: "start" | "rest" | "stop" | "retry" | "hidden" }>,
  around: Surroundings,
): Step {
  const { state } = machine;
  const isOpen = state.kind === "live" || state.kind === "catching-up";
  switch (input.kind) {
    case "opened": {
      if (state.kind !== "connecting") return [machine, []];
      const { isBehind, tab } = input;
      return [
        { ...machine, state: { kind: isBehind ? "catching-up" : "live", ...(tab && { tab }) } },
        [{ kind: "wait", ms: STABLE_MS, next: "stable" }],
      ];
    }
    case "caught-up":
      if (state.kind !== "catching-up") return [machine, []];
      return [{ ...machine, state: { ...state, kind: "live" } }, []];
    case "stable":
      if (!isOpen) return [machine, []];
      return [{ ...machine, attempts: 0, token: "usable" }, []];
    case "due":
      return state.kind === "waiting" ? open(machine) : [machine, []];
    case "failed":
      if (state.kind !== "connecting" && !isOpen) return [machine, []];
      return fail(machine, input.failure, around);
    case "offline":
      if (isOpen) return [machine, [{ kind: "probe" }]];
      // Not for ever: networks are there that a browser does not see.
      return state.kind === "waiting"
        ? wait(machine, state, around.now + LONGEST_BACKOFF_MS, around)
        : [machine, []];
    case "online":
    case "visible": {
      if (isOpen) return [machine, [{ kind: "probe" }]];
      if (state.kind !== "waiting") return [machine, []];
      // With a little chance: a building whose network returns has many clients.
      const soon = Math.max(machine.notBefore, around.now) + around.chance * FIRST_BACKOFF_MS;
      return soon < state.until ? wait(machine, state, soon, around) : [machine, []];
    }
  }
}

function open(machine: Machine): Step {
  const isStale = machine.token === "stale";
  return [
    { ...machine, state: { kind: "connecting" }, token: isStale ? "renewed" : machine.token },
    [{ kind: "hush" }, { kind: "open", refresh: isStale }],
  ];
}

function close(machine: Machine, { because, message }: { because: string; message: string }): Step {
  return [{ ...machine, state: { kind: "closed", because, message } }, DROP];
}

function fail(machine: Machine, failure: Failure, around: Surroundings): Step {
  const { code, message, reconnect, retryAfterMs } = failure;
  if (reconnect === "no") return close(machine, { because: code, message });
  if (reconnect === "refresh" && machine.token !== "renewed") return reopen(machine);
  // A token that is new and refused: another one would be no better.
  const wasRefused = machine.state.kind === "connecting" && reconnect === "refresh";
  if (wasRefused) return close(machine, { because: code, message });
  const floor = Math.max(retryAfterMs ?? 0, machine.retryMs);
  const lost: Machine = {
    ...machine,
    attempts: machine.attempts + 1,
    notBefore: around.now + floor,
    token: reconnect === "refresh" ? "stale" : machine.token,
  };
  const until = around.now + backoff(machine.attempts, floor, around.chance);
  return wait(lost, { because: code }, until, around);
}

/** At once, because nothing is wrong but the token. */
function reopen(machine: Machine): Step {
  const [opening, commands] = open({ ...machine, token: "stale" });
  return [opening, [{ kind: "drop" }, ...commands]];
}

function wait(
  machine: Machine,
  { because }: { readonly because: string },
  until: number,
  { now }: Surroundings,
): Step {
  return [
    { ...machine, state: { kind: "waiting", until, because } },
    [{ kind: "drop" }, { kind: "wait", ms: until - now, next: "due" }],
  ];
}
