/** What documents take and what not, and their end. */
import { expect, test } from "vitest";
import { compact } from "../../../durable-objects/document/compact.ts";
import { NOTHING } from "../../../durable-objects/document/update.ts";
import { DELETION_BYTES, FOLD_BYTES } from "../../../durable-objects/document/limits.ts";
import { changeDocument, deleteDocument } from "../../../durable-objects/room/change-document.ts";
import { type ErrorCode, SluiceError } from "../../../src/protocol/errors.ts";
import { MAX_DOCUMENT_BYTES, MAX_DOCUMENTS } from "../../../src/protocol/limits.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { NOTES, scene } from "../../support/document-scene.ts";

function codeOf(attempt: () => unknown): ErrorCode | undefined {
  try {
    attempt();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof SluiceError) return thrown.code;
    throw thrown;
  }
}

test("[W7][I5] what is stored is in few parts, however often it is", () => {
  const room = scene();
  for (let n = 0; n < 50; n += 1) {
    room.write(() => room.writer.text.insert(0, "x".repeat(1_000)));
    room.room.documents.fold(room.room.log);
  }
  expect(room.room.documents.read(room.room.log, "notes").parts).toHaveLength(1);
  for (let n = 0; n < 50; n += 1) {
    room.write(() => room.writer.text.insert(0, "x".repeat(10_000)));
    room.room.documents.fold(room.room.log);
  }
  const { parts, compaction } = room.room.documents.read(room.room.log, "notes");
  expect(parts.length).toBeLessThan(15);
  // Asked for once.
  expect(compaction).toBeGreaterThan(0);
  expect(room.room.documents.read(room.room.log, "notes").compaction).toBeUndefined();
  expect(room.read()).toHaveLength(550_000);
});

test("[W7][W4] what is no change is refused, and the room goes on", () => {
  const room = scene();
  room.say("text");
  room.say(null);
  room.say(Uint8Array.of(1, 2, 3));
  room.say(NOTHING, "doc:");
  room.say(NOTHING, "doc:a/b");
  room.say(NOTHING, "doc:..");
  room.say(NOTHING, `doc:${"x".repeat(60)}`);
  expect(room.refusals).toEqual([
    "bad_payload",
    "bad_payload",
    "bad_payload",
    "bad_name",
    "bad_name",
    "bad_name",
  ]);
  expect(room.room.documents.list(room.room.log).map(({ document }) => document)).toEqual([
    "x".repeat(60),
  ]);
});

test("[W7][W3] a change that is repeated is answered as before, whatever became of the document", () => {
  const room = scene();
  room.write(() => room.writer.text.insert(0, "a"));
  room.room.documents.delete("notes");
  const [update] = room.writer.updates;
  const payload = encodeValue(update);
  room.send(room.ann, { kind: "publish", id: "m1", event: NOTES, payload });
  room.send(room.ann, { kind: "publish", id: "new", event: NOTES, payload });
  expect(room.ann.of("published").flatMap(({ published }) => published)).toEqual([
    { id: "m1", seq: 1 },
    { id: "m1", seq: 1 },
  ]);
  expect(room.refusals).toEqual(["document_deleted"]);
});

test("[W7] a change that no message carries is merged at once, and told", async () => {
  const room = scene();
  room.writer.text.insert(0, "x".repeat(3_000_000));
  const [update = NOTHING] = room.writer.updates;
  const author = { sender: "ann", id: "big" };
  const changed = changeDocument(room.room, "notes", update, author);
  room.room.publisher.flush();
  expect(await changed).toBe(1);
  room.sleep();
  expect(room.read()).toHaveLength(3_000_000);
  expect(room.ann.of("deliver").flatMap(({ entries }) => entries)).toMatchObject([
    { event: NOTES, payload: null, sender: "ann" },
  ]);
  // Shorter than before: no piece of it is left over.
  room.write(() => room.writer.text.delete(10, 2_999_990));
  expect(room.read()).toBe("xxxxxxxxxx");
  room.sleep();
  expect(room.read()).toBe("xxxxxxxxxx");
});

test("[W7][I5] a document that is full takes deletions only", async () => {
  const room = scene();
  room.writer.text.insert(0, "x".repeat(MAX_DOCUMENT_BYTES - 100));
  const [update = NOTHING] = room.writer.updates;
  const changed = changeDocument(room.room, "notes", update, { sender: "", id: "big" });
  room.room.publisher.flush();
  await changed;
  room.write(() => room.writer.text.insert(0, "y".repeat(200)));
  expect(room.refusals).toEqual(["document_full"]);
  room.write(() => room.writer.text.delete(200, MAX_DOCUMENT_BYTES - 300));
  room.read();
  room.write(() => room.writer.text.insert(0, "z"));
  expect(room.refusals).toEqual(["document_full"]);
});

test("[W7][I5] a full document that was emptied takes changes again when somebody has opened it", () => {
  const room = scene();
  const { documents, log } = room.room;
  room.writer.text.insert(0, "x".repeat(MAX_DOCUMENT_BYTES - 100));
  documents.change(log, "notes", room.writer.updates[0] ?? NOTHING);
  // Tried before it was emptied.
  expect(documents.read(log, "notes").compaction).toBe(1);
  room.write(() => room.writer.text.delete(0, MAX_DOCUMENT_BYTES - 110));
  room.write(() => room.writer.text.insert(0, "y".repeat(200)));
  expect(room.refusals).toEqual(["document_full"]);
  const { parts, compaction = -1 } = documents.read(log, "notes");
  documents.compact("notes", compaction, compact(parts) ?? NOTHING);
  room.write(() => room.writer.text.insert(0, "z"));
  expect(room.refusals).toEqual(["document_full"]);
  expect(documents.stats.bytes).toBeLessThan(1_000);
});

test("[W7][I5] deletions of what nobody wrote fill a document, too", async () => {
  const room = scene();
  room.writer.text.insert(0, "x".repeat(MAX_DOCUMENT_BYTES - 100));
  const [update = NOTHING] = room.writer.updates;
  room.room.documents.change(room.room.log, "notes", update);
  const ranges = 12_000;
  /** Ranges of one, with clocks of four bytes. */
  const deletionsOf = (client: number): Uint8Array => {
    const bytes = new Uint8Array(5 + 5 * ranges).fill(1);
    bytes.set([0, 1, client, 0x80 | (ranges & 0x7f), ranges >> 7]);
    for (let n = 0; n < ranges; n += 1) {
      const clock = 0x200000 + 2 * n;
      const varint = [clock | 0x80, (clock >> 7) | 0x80, (clock >> 14) | 0x80, clock >> 21];
      bytes.set(varint, 5 + 5 * n);
    }
    return bytes;
  };
  for (let client = 1; client < 120; client += 1) {
    room.say(deletionsOf(client));
    // A member is told no faster.
    await room.clock.advance(1_000);
    room.send(room.ann, { kind: "ack", seq: room.room.log.tail, mail: 0 });
  }
  expect(new Set(room.refusals)).toEqual(new Set(["document_full"]));
  const most = MAX_DOCUMENT_BYTES + DELETION_BYTES + 2 * FOLD_BYTES;
  expect(room.room.documents.stats.bytes).toBeLessThan(most);
});

test("[W7][I5] a room has so many documents and no more", () => {
  const room = scene();
  for (let n = 0; n < MAX_DOCUMENTS; n += 1) room.say(NOTHING, `doc:${n}`);
  expect(room.refusals).toEqual([]);
  room.say(NOTHING, "doc:more");
  expect(room.refusals).toEqual(["too_many_documents"]);
  room.say(NOTHING, "doc:7");
  expect(room.room.stats()).toMatchObject({ documents: MAX_DOCUMENTS });
});

test("[W7] what is deleted stays deleted, and leaves nothing", async () => {
  const room = scene();
  room.write(() => room.writer.text.insert(0, "secret"));
  room.read();
  const deleted = deleteDocument(room.room, "notes", { sender: "", id: "away" });
  room.room.publisher.flush();
  expect(await deleted).toBe(true);
  room.sleep();
  expect(codeOf(() => room.read())).toBe("document_deleted");
  room.write(() => room.writer.text.insert(0, "again"));
  expect(room.refusals).toEqual(["document_deleted"]);
  expect(room.room.documents.list(room.room.log)).toEqual([]);
  expect(room.room.stats()).toMatchObject({ documents: 0, documentBytes: 0 });
  expect(await deleteDocument(room.room, "notes", { sender: "", id: "away2" })).toBe(true);
  expect(await deleteDocument(room.room, "never", { sender: "", id: "away3" })).toBe(false);
});
