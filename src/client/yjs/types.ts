/** Owns what applications see of shared documents. Refuses to know how they are kept the same. */
import type { Observable } from "../state.ts";

/** Where a document stands between this program and the server. */
export type DocumentState =
  /** The server's state is not in the document yet, or not all of it any more. */
  | { readonly kind: "loading" }
  /** Some changes made here are not stored yet. */
  | { readonly kind: "saving" }
  /** All that the server has is here, and all that is here is stored. */
  | { readonly kind: "synced" }
  /** No connection: changes are kept in the document and sent later. */
  | { readonly kind: "offline" }
  /**
   * The server would not take what was changed here; `because` is its code (`forbidden`, `document_full` …). What others
   * change goes on coming. It is tried again when the connection comes back, and by a change some seconds later.
   */
  | { readonly kind: "unsaved"; readonly because: string; readonly message: string }
  /**
   * Over; nothing is tried again. `because` is `closed` where the application closed it (or destroyed the document), what the
   * room was closed for, `document_deleted`, or the code by which the server refuses to show the document.
   */
  | { readonly kind: "closed"; readonly because: string; readonly message: string };

/** A document that is kept the same in all programs that have it open. */
export interface SharedDocument {
  readonly name: string;
  /** Where it stands. */
  readonly state: Observable<DocumentState>;
  /**
   * Resolves as soon as all that the server has is in the document, and all that is in the document is stored.
   * Rejects with a {@link ClientError} when it is closed before; whoever does not look is not disturbed by that.
   */
  synced(): Promise<void>;
  /**
   * Nothing is taken any more, and nothing sent but what waits and fits a message. The room stays open, and the
   * document as it is.
   */
  close(): void;
}
