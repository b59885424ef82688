/**
 * Owns changing a document by a request instead of over a socket: as a message where one can carry it, and else
 * at once, with a message that tells to look again. Refuses to know who may change it.
 */
import { eventOf } from "../../src/protocol/documents.ts";
import type { Raw } from "../../src/protocol/frames.ts";
import { MAX_MESSAGE_BYTES } from "../../src/protocol/limits.ts";
import { encodeValue } from "../../src/protocol/value.ts";
import type { Documents } from "../document/documents.ts";
import type { DedupeWindow } from "../log/dedupe-window.ts";
import { admitChanges } from "./admit-changes.ts";
import type { Gate } from "./gate.ts";
import type { Log } from "../log/log.ts";
import type { Message, Publisher } from "../delivery/publisher.ts";

/** The parts of a room that a request meets. */
interface Parts {
  readonly log: Log;
  readonly documents: Documents;
  readonly dedupe: DedupeWindow;
  readonly publisher: Pick<Publisher, "publishAll">;
  readonly gate: Pick<Gate, "admit">;
}

/** Who asks, and what the message that tells of it is called. */
export interface Author {
  /** "" for a backend, which has no rate. */
  readonly sender: string;
  readonly id: string;
}

/** Says that a document is to be looked at again. */
const LOOK: Raw = encodeValue(null);

/**
 * Changes a document; resolves with the position of the message that tells of it, when both are durable.
 *
 * @param update one that was looked at, if it is too large for a message.
 * @throws SluiceError as {@link Documents.check}, {@link Documents.admit} and {@link Gate.admit}.
 */
export async function changeDocument(
  room: Parts,
  document: string,
  update: Uint8Array,
  { sender, id }: Author,
): Promise<number> {
  if (sender !== "") room.gate.admit(sender, [update.byteLength]);
  const event = eventOf(document);
  const payload = encodeValue(update);
  const isMessage = payload.byteLength <= MAX_MESSAGE_BYTES;
  const message = { sender, id, event, payload: isMessage ? payload : LOOK };
  if (isMessage) admitChanges(room, [message]);
  else room.documents.change(room.log, document, update);
  return await tell(room, message);
}

/**
 * Deletes a document for good, and tells; resolves with whether there ever was one.
 *
 * @throws SluiceError `bad_name`.
 */
export async function deleteDocument(
  room: Parts,
  document: string,
  { sender, id }: Author,
): Promise<boolean> {
  if (!room.documents.delete(document)) return false;
  await tell(room, { sender, id, event: eventOf(document), payload: LOOK });
  return true;
}

async function tell({ publisher }: Parts, message: Message): Promise<number> {
  const [seq = 0] = await publisher.publishAll([message]);
  return seq;
}
