/**
 * Owns what the platform tells of the network and the page. Where there is no browser there is
 * nothing to tell. Refuses to touch any of it before somebody listens.
 */
import type { Unsubscribe } from "../state.ts";

/** What is told. */
export type Signal = "offline" | "online" | "visible";

/** The little of a browser that is needed: runtimes without it have neither. */
interface Target {
  addEventListener(
    type: string,
    listener: () => void,
    options: { readonly signal: AbortSignal },
  ): void;
}

/**
 * Tells `take` what happens until it is called off.
 *
 * @param leave called when the page is left, perhaps to be shown again, or frozen: nothing of it runs then, so it
 *   would hear nothing and answer no ping.
 */
export function listenToSignals(take: (signal: Signal) => void, leave: () => void): Unsubscribe {
  const scope = globalThis as unknown as Partial<Target> & {
    readonly document?: Target & { readonly visibilityState: string };
    readonly navigator?: { readonly onLine?: boolean };
  };
  const { document, navigator } = scope;
  const gone = new AbortController();
  // Servers have event targets of the same name, which mean something else.
  if (navigator?.onLine !== undefined) {
    for (const type of ["offline", "online"] as const) {
      scope.addEventListener?.(type, () => take(type), gone);
    }
    scope.addEventListener?.("pagehide", leave, gone);
  }
  const look = (): void => {
    // Connections of a hidden page go on as well as its browser lets them.
    if (document?.visibilityState === "visible") take("visible");
  };
  document?.addEventListener("visibilitychange", look, gone);
  document?.addEventListener("freeze", leave, gone);
  return () => {
    gone.abort();
  };
}
