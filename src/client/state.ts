/**
 * Owns what an application can know of a connection. Refuses to know what is connected.
 */

/** Whose connection it is, where all tabs share one: this tab's, or another's. Undefined: nobody shares it. */
export type ConnectedTab = "this" | "other" | undefined;

/** Where a connection stands. */
export type ConnectionState =
  /** Nobody has asked for anything yet, or nobody listens any more. */
  | { readonly kind: "idle" }
  /** On its way. */
  | { readonly kind: "connecting" }
  /** Connected, and receiving what was missed. */
  | { readonly kind: "catching-up"; readonly tab?: ConnectedTab }
  /** Connected, and receiving what happens as it happens. */
  | { readonly kind: "live"; readonly tab?: ConnectedTab }
  /** Lost; it is tried again at `until` (milliseconds since 1970), or sooner when the network returns. */
  | { readonly kind: "waiting"; readonly until: number; readonly because: string }
  /**
   * Over; nothing is tried again. `because` is a code: `closed` and `left` are the application's own
   * doing, `ended` the log's or the answer's end, all others say what the server would not have.
   */
  | { readonly kind: "closed"; readonly because: string; readonly message: string };

/** Takes back what it was returned for. May be called more than once. */
export type Unsubscribe = () => void;

/** A value that changes, in the shape that stores of UI libraries expect. */
export interface Observable<Value> {
  /** The value now; the same object until it changes. */
  get(): Value;
  /** Calls `listener` after each change. */
  onChange(listener: () => void): Unsubscribe;
}
