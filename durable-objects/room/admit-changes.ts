/** Owns letting messages pass that change documents. Refuses to know how they came. */
import { documentOf } from "../../src/protocol/documents.ts";
import type { Message } from "../delivery/publisher.ts";
import type { Documents } from "../document/documents.ts";
import type { DocumentLog } from "../document/unfolded.ts";
import type { DedupeWindow } from "../log/dedupe-window.ts";
import { nameOf } from "../log/message-key.ts";

/** The parts of a room that a message meets. */
interface Parts {
  readonly log: DocumentLog;
  readonly dedupe: Pick<DedupeWindow, "find">;
  readonly documents: Pick<Documents, "admit" | "check">;
}

/**
 * Lets messages pass that may be stored, or are already. Most change no document.
 *
 * @param refuse is given what one of them is refused for, and its place; throws.
 * @throws SluiceError as {@link Documents.check} and {@link Documents.admit}.
 */
export function admitChanges(
  { log, dedupe, documents }: Parts,
  messages: readonly Message[],
  refuse: (thrown: unknown, index: number) => never = rethrow,
): void {
  if (messages.every(({ event }) => documentOf(event) === undefined)) return;
  const each = (look: (message: Message) => void): void => {
    for (const [index, message] of messages.entries()) {
      try {
        look(message);
      } catch (thrown) {
        refuse(thrown, index);
      }
    }
  };
  // Also of what seems to be there already: until it is stored it may have been forgotten.
  each(({ event, payload }) => {
    documents.check(event, payload);
  });
  each((message) => {
    try {
      documents.admit(log, message.event, message.payload);
    } catch (thrown) {
      // What is repeated is answered as before, whatever has become of its document.
      if (dedupe.find(nameOf(message)) === undefined) throw thrown;
    }
  });
}

function rethrow(thrown: unknown): never {
  throw thrown;
}
