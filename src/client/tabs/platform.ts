/**
 * Owns the little of a browser by which tabs find each other: channels and locks of an origin. Refuses to
 * touch any of it before somebody asks.
 */

/** What all who have opened the name say to each other. */
export interface Channel {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  close(): void;
}

/** Locks that the browser gives to one at a time, and to the next when a tab is gone. */
interface Locks {
  request(
    name: string,
    options: { readonly signal?: AbortSignal; readonly steal?: boolean },
    held: () => Promise<void>,
  ): Promise<void>;
}

/** What happens to a page: it is left and shown again, or frozen and not any more. */
type PageEvent = "pagehide" | "pageshow" | "freeze" | "resume";

interface Platform {
  readonly BroadcastChannel: new (name: string) => Channel;
  readonly navigator: { readonly locks: Locks };
  readonly addEventListener?: (
    type: PageEvent,
    listener: () => void,
    options: { readonly capture: true; readonly signal: AbortSignal },
  ) => void;
}

const platform = globalThis as unknown as Platform;

/** Whether tabs can find each other here. */
export function hasTabs(): boolean {
  const { BroadcastChannel, navigator }: Partial<Platform> = platform;
  return BroadcastChannel !== undefined && navigator?.locks !== undefined;
}

export function openChannel(name: string): Channel {
  return new platform.BroadcastChannel(name);
}

/** Holds a lock from when it is had until `held` is done. @throws when it cannot be had, or was taken away. */
export async function holdLock(...request: Parameters<Locks["request"]>): Promise<void> {
  await platform.navigator.locks.request(...request);
}

/** Calls `task` when one of these happens to the page, until it is called off. */
export function onPage(types: readonly PageEvent[], task: () => void): () => void {
  const gone = new AbortController();
  for (const type of types) {
    // Of a document's own events, too.
    platform.addEventListener?.(type, task, { capture: true, signal: gone.signal });
  }
  return () => {
    gone.abort();
  };
}
