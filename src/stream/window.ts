/**
 * Owns a moment's patience under load. Refuses to know what is gathered meanwhile.
 */

/** A short time that passes by itself; leaving its block ends it early. */
export interface Window extends Disposable {
  readonly closed: Promise<void>;
  readonly isOpen: boolean;
}

/**
 * Opens a window of `ms` milliseconds. It is the platform's time and not the app's clock on purpose:
 * nothing but the number of writes depends on it, so a clock that stands still must not hold data.
 */
export function openWindow(ms: number): Window {
  let isOpen = true;
  const { promise, resolve } = Promise.withResolvers<void>();
  const close = (): void => {
    isOpen = false;
    resolve();
  };
  const timer = setTimeout(close, ms);
  return {
    closed: promise,
    get isOpen() {
      return isOpen;
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      close();
    },
  };
}
