/** Owns a timer that is set again and again. Refuses to know what for. */
import type { Clock } from "../options.ts";

/** Sets the timer, which calls off what it was set to before; without a task, that is all. */
export type Timer = (ms?: number, task?: () => void) => void;

/** A timer that is not set. */
export function timerOf(clock: Clock): Timer {
  let callOff: (() => void) | undefined;
  return (ms = 0, task) => {
    callOff?.();
    callOff = task && clock.after(ms, task);
  };
}
