/**
 * Owns telling a request that is repeated from another one under the same key. Refuses to know how
 * callers write keys.
 */
import { sameBytes } from "../../src/protocol/bytes.ts";
import { readEntries } from "../../src/protocol/entries.ts";
import { SluiceError } from "../../src/protocol/errors.ts";
import type { Entry, Raw } from "../../src/protocol/frames.ts";
import type { DedupeWindow } from "../log/dedupe-window.ts";
import { nameOf } from "../log/message-key.ts";
import type { Log, PageSize } from "../log/log.ts";
import type { Message } from "./publisher.ts";

/** The key of a request, as the ids of its messages show it. */
export interface RequestKey {
  /** What the ids begin with; the messages' places in the request follow. */
  readonly prefix: string;
  /** These are some of the request's messages: others may have come before, or may follow. */
  readonly isPart?: boolean;
}

/** A row is read whole in any case, and a request's messages share one. */
const ROW: PageSize = { maxBytes: 1, maxEntries: 1 };

/**
 * Checks that either nothing of a keyed request is stored, or all of it and nothing else; of a part of
 * one, that what is stored is the same. What the log has trimmed cannot be compared and counts as the
 * same.
 *
 * @throws SluiceError `idempotency_conflict`; where it is one of the messages, its `index` says which.
 */
export function checkRepetition(
  {
    log,
    dedupe,
  }: { readonly log: Pick<Log, "readAfter">; readonly dedupe: Pick<DedupeWindow, "find"> },
  messages: readonly Message[],
  { prefix, isPart = false }: RequestKey,
): void {
  const found = messages
    .filter(({ id }) => id.startsWith(prefix))
    .map((message) => ({ message, seq: dedupe.find(nameOf(message)) }));
  const known = found.filter(({ seq }) => seq !== undefined).length;
  const sender = messages[0]?.sender ?? "";
  const isLonger = dedupe.find(nameOf({ sender, id: `${prefix}${messages.length}` })) !== undefined;
  if (!isPart && (isLonger || (known > 0 && known < found.length))) refuse();
  let stored = new Map<number, Entry<Raw>>();
  for (const { message, seq } of found) {
    if (seq === undefined) continue;
    if (!stored.has(seq)) stored = readRow(log, seq);
    const entry = stored.get(seq);
    if (entry === undefined) continue;
    if (entry.event !== message.event || !sameBytes(entry.payload, message.payload)) {
      throw new SluiceError("idempotency_conflict", {
        members: { index: messages.indexOf(message) },
      });
    }
  }
}

function readRow(log: Pick<Log, "readAfter">, seq: number): Map<number, Entry<Raw>> {
  const page = log.readAfter(seq - 1, ROW);
  if (page.kind === "gap") return new Map();
  return new Map([...readEntries(page.entries)].map((entry, index) => [page.first + index, entry]));
}

function refuse(): never {
  throw new SluiceError("idempotency_conflict");
}
