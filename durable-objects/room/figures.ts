/** Owns the figures of a room for those who watch it. Refuses to know who watches. */
import type { Room } from "./room.ts";

/** Every figure by name; units and meanings are in docs/rooms.md. */
export function figuresOf({
  log,
  roster,
  audience,
  publisher,
  mailbox,
  documents,
}: Pick<Room, "log" | "roster" | "audience" | "publisher" | "mailbox" | "documents">): Readonly<
  Record<string, number>
> {
  const { rows, entries, bytes, rowsWritten } = log.stats;
  return {
    members: roster.count,
    ...audience.stats(),
    pendingBytes: publisher.pendingBytes,
    messages: entries,
    rows,
    bytes,
    mailWaiting: mailbox.stats.waiting,
    documents: documents.stats.count,
    documentBytes: documents.stats.bytes,
    rowsWritten: rowsWritten + mailbox.rowsWritten + documents.stats.rowsWritten,
  };
}

/** Figures of several objects as those of one. */
export function addFigures(
  all: readonly Readonly<Record<string, number>>[],
): Readonly<Record<string, number>> {
  const sum: Record<string, number> = {};
  for (const figures of all) {
    for (const [name, figure] of Object.entries(figures)) sum[name] = (sum[name] ?? 0) + figure;
  }
  return sum;
}
