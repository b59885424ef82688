/**
 * Owns what the platform tells of the network and the page. Where there is no browser there is
 * nothing to tell. Refuses to touch any of it before somebody listens.
 */
import type { Unsubscribe } from "../state.ts";

/** What is told. */
export type Signal = "offline" | "online" | "visible";

/** The little of a browser that is needed: runtimes without it have neither. */
interface Target {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

/** Tells `take` what happens until it is called off. */
export function listenToSignals(take: (signal: Signal) => void): Unsubscribe {
  const scope = globalThis as unknown as Partial<Target> & {
    readonly document?: Target & { readonly visibilityState: string };
    readonly navigator?: object;
  };
  const { document, navigator } = scope;
  const undo: Unsubscribe[] = [];
  const listen = (target: Target, type: string, listener: () => void): void => {
    target.addEventListener(type, listener);
    undo.push(() => {
      target.removeEventListener(type, listener);
    });
  };
  // Servers have event targets of the same name, which mean something else.
  if (navigator !== undefined && "onLine" in navigator && isTarget(scope)) {
    for (const type of ["offline", "online"] as const) {
      listen(scope, type, () => {
        take(type);
      });
    }
  }
  if (document !== undefined) {
    listen(document, "visibilitychange", () => {
      // Connections of a hidden page go on as well as its browser lets them.
      if (document.visibilityState === "visible") take("visible");
    });
  }
  return () => {
    for (const one of undo.splice(0)) one();
  };
}

function isTarget(scope: Partial<Target>): scope is Target {
  return typeof scope.addEventListener === "function";
}
