/**
 * Owns publishing to a room by a request instead of over a socket: once under its key, and no faster than
 * its member may speak. Refuses to know who may publish at all.
 */
import { SluiceError, toSluiceError } from "../../src/protocol/errors.ts";
import type { Message, Publisher } from "../delivery/publisher.ts";
import { checkRepetition } from "../delivery/repetition.ts";
import type { DedupeWindow } from "../log/dedupe-window.ts";
import type { Log } from "../log/log.ts";
import { nameOf } from "../log/message-key.ts";
import type { Documents } from "../document/documents.ts";
import { admitChanges } from "./admit-changes.ts";
import type { Gate } from "./gate.ts";

/** The parts of a room that a request meets. */
interface Parts {
  readonly log: Log;
  readonly dedupe: Pick<DedupeWindow, "find">;
  readonly publisher: Pick<Publisher, "flush" | "publishAll">;
  readonly gate: Pick<Gate, "admit">;
  readonly documents: Pick<Documents, "admit" | "check">;
}

/**
 * Publishes a request's messages, which are all of one sender; resolves with their sequence numbers when
 * all are durable. A sender without a name is a backend, which has no rate.
 *
 * @param key of a request that may be a repetition: see {@link checkRepetition}.
 * @throws SluiceError `idempotency_conflict`, and what {@link Gate.admit} and {@link admitChanges} throw; then
 *   nothing is stored.
 */
export async function publishRequest(
  room: Parts,
  messages: readonly Message[],
  key?: string,
): Promise<readonly number[]> {
  const { log, dedupe, publisher, gate } = room;
  if (key !== undefined) {
    // What waits may be of the same key.
    publisher.flush();
    checkRepetition({ log, dedupe }, messages, { prefix: key });
  }
  const sender = messages[0]?.sender ?? "";
  if (sender !== "") {
    // What is stored already was paid for when it came first.
    const fresh = messages.filter((message) => dedupe.find(nameOf(message)) === undefined);
    const sizes = fresh.map(({ payload }) => payload.byteLength);
    if (sizes.length > 0) gate.admit(sender, sizes);
  }
  admitChanges(room, messages, refuseAt);
  return await publisher.publishAll(messages);
}

/** Says which message is refused. */
function refuseAt(thrown: unknown, index: number): never {
  const { code, detail, param, cause } = toSluiceError(thrown);
  throw new SluiceError(code, {
    detail: `Message ${index}: ${detail}`,
    members: { index, ...(param === undefined ? {} : { param }) },
    cause,
  });
}
