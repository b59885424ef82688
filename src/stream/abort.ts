/**
 * Owns the tree of cancellation: a scope that its parent, or anyone inside, can end.
 * Refuses to know what is cancelled.
 */

/** A child of an `AbortSignal` that can also be ended on its own, and that is ended when its block is left. */
export interface AbortScope extends Disposable {
  readonly signal: AbortSignal;
  readonly abort: (reason: unknown) => void;
}

/**
 * Opens a scope below `parent`. With `using`, leaving the block aborts the scope, so whatever was
 * given its signal is released on every exit path (I7), and the parent keeps no listener.
 */
export function openScope(parent: AbortSignal): AbortScope {
  const controller = new AbortController();
  const follow = (): void => {
    controller.abort(parent.reason);
  };
  if (parent.aborted) follow();
  else parent.addEventListener("abort", follow, { once: true });
  const abort = (reason: unknown): void => {
    parent.removeEventListener("abort", follow);
    controller.abort(reason);
  };
  return {
    signal: controller.signal,
    abort,
    [Symbol.dispose]() {
      abort(new DOMException("The scope was left.", "AbortError"));
    },
  };
}
