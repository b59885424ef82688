/**
 * Owns what the platform tells of the network and the page. Where there is no browser there is
 * nothing to tell. Refuses to touch any of it before somebody listens.
 */
import type { Unsubscribe } from "../state.ts";

/** What is told: of the network, and of the page, which is shown, or left or frozen: nothing of it runs then. */
export type Signal = "offline" | "online" | "visible" | "left";

/** The little of a browser that is needed: runtimes without it have neither. */
interface Target {
  addEventListener(
    type: string,
    listener: () => void,
    options: { readonly signal: AbortSignal },
  ): void;
}

/** Tells `take` what happens until it is called off. */
export function listenToSignals(take: (signal: Signal) => void): Unsubscribe {
  const scope = globalThis as unknown as Partial<Target> & {
    readonly document?: Target & { readonly visibilityState: string };
    readonly navigator?: { readonly onLine?: boolean };
  };
  const { document, navigator } = scope;
  const gone = new AbortController();
  const listen = (target: Partial<Target> | undefined, type: string, signal: Signal): void => {
    target?.addEventListener?.(
      type,
      () => {
        // Connections of a hidden page go on as well as its browser lets them.
        if (signal !== "visible" || document?.visibilityState === signal) take(signal);
      },
      gone,
    );
  };
  // Servers have event targets of the same name, which mean something else.
  if (navigator?.onLine !== undefined) {
    listen(scope, "offline", "offline");
    listen(scope, "online", "online");
    // Perhaps to be shown again: it would hear nothing until then and answer no ping.
    listen(scope, "pagehide", "left");
  }
  listen(document, "visibilitychange", "visible");
  listen(document, "freeze", "left");
  return () => {
    gone.abort();
  };
}
