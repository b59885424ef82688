/** Owns letting messages pass that change documents. Refuses to know how they came. */
import { documentOf } from "../../src/protocol/documents.ts";
import type { Message } from "../delivery/publisher.ts";
import type { DocumentLog, Documents } from "../document/documents.ts";
import type { DedupeWindow } from "../log/dedupe-window.ts";
import { nameOf } from "../log/message-key.ts";

/** The parts of a room that a message meets. */
interface Parts {
  readonly log: DocumentLog;
  readonly dedupe: Pick<DedupeWindow, "find">;
  readonly documents: Pick<Documents, "begin" | "check">;
}

/**
 * Lets messages pass that may be stored, or are already: all of them or none. Most change no document.
 *
 * @param refuse is given what one of them is refused for, and its place; throws.
 * @throws SluiceError as {@link Documents.check}.
 */
export function admitChanges(
  { log, dedupe, documents }: Parts,
  messages: readonly Message[],
  refuse: (thrown: unknown, index: number) => never = rethrow,
): void {
  const changes = messages.filter(
    (message) =>
      documentOf(message.event) !== undefined && dedupe.find(nameOf(message)) === undefined,
  );
  for (const change of changes) {
    try {
      documents.check(change.event, change.payload);
    } catch (thrown) {
      refuse(thrown, messages.indexOf(change));
    }
  }
  for (const { event } of changes) documents.begin(log, event);
}

function rethrow(thrown: unknown): never {
  throw thrown;
}
