/** Documents beside a log: what is stored, when, and what a sleep or a trim does to it. */
import { expect, test } from "vitest";
import { compact } from "../../../durable-objects/document/compact.ts";
import { join, NOTHING } from "../../../durable-objects/document/update.ts";
import {
  DELETION_BYTES,
  FOLD_BYTES,
  FOLD_ENTRIES,
} from "../../../durable-objects/document/limits.ts";
import { changeDocument, deleteDocument } from "../../../durable-objects/room/change-document.ts";
import { type ErrorCode, SluiceError } from "../../../src/protocol/errors.ts";
import { MAX_DOCUMENT_BYTES, MAX_DOCUMENTS } from "../../../src/protocol/limits.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import type { FakeSocket } from "../../support/fake-socket.ts";
import { RoomScene } from "../../support/room-scene.ts";
import { textOf, writer } from "../../support/writer.ts";

const NOTES = "doc:notes";

/** A room in which somebody writes. */
class Scene extends RoomScene {
  readonly writer = writer(1);
  readonly ann: FakeSocket = this.join("ann");
  #sent = 0;

  /** Does something to the document and publishes what it has done so far. */
  write(change: () => void, event = NOTES): void {
    const before = this.writer.updates.length;
    change();
    for (const update of this.writer.updates.slice(before)) this.say(update, event);
  }

  say(payload: unknown, event = NOTES): void {
    const id = `m${(this.#sent += 1)}`;
    this.send(this.ann, { kind: "publish", id, event, payload: encodeValue(payload) });
    this.room.publisher.flush();
  }

  /** As after a sleep that nobody was awake for. */
  sleep(): void {
    this.wake(this.ann);
  }

  read(name = "notes"): string {
    return textOf(join(this.room.documents.read(this.room.log, name).parts));
  }

  get version(): string {
    return this.room.documents.read(this.room.log, "notes").version;
  }

  get refusals(): readonly string[] {
    return this.ann.of("error").map(({ code }) => code);
  }

  /** Publishes so many messages that have nothing to do with it. */
  chat(count: number): void {
    const ignore = { stored: () => {}, refused: () => {} };
    const payload = encodeValue("x");
    for (let n = 0; n < count; n += 1) {
      // A backend, which no rate holds up.
      this.room.publisher.publish({ sender: "", id: "", event: "chat", payload }, ignore);
      this.room.publisher.flush();
    }
  }
}

/** Nobody here speaks too fast. */
const FAST = {
  messageRate: { perSecond: 1e6, burst: 1e6 },
  byteRate: { perSecond: 1e9, burst: 1e9 },
};

function scene(retention: { readonly maxEntries?: number } = {}): Scene {
  return new Scene({ ...FAST, retention });
}

function codeOf(attempt: () => unknown): ErrorCode | undefined {
  try {
    attempt();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof SluiceError) return thrown.code;
    throw thrown;
  }
}

test("[W7] changes are messages like others, and a document is all of them", () => {
  const room = scene();
  room.write(() => room.writer.text.insert(0, "Hello"));
  room.chat(3);
  room.write(() => room.writer.text.insert(5, " world"));
  expect(room.read()).toBe("Hello world");
  expect(room.ann.of("deliver").flatMap(({ entries }) => entries)).toHaveLength(5);
  expect(room.refusals).toEqual([]);
});

test("[W7][I1] a document is the same after a sleep, whether it was read before or not", () => {
  const room = scene();
  room.write(() => room.writer.text.insert(0, "one "));
  room.sleep();
  room.write(() => room.writer.text.insert(4, "two "));
  room.sleep();
  expect(room.read()).toBe("one two ");
  room.write(() => room.writer.text.insert(8, "three"));
  expect(room.read()).toBe("one two three");
  room.sleep();
  expect(room.read()).toBe("one two three");
});

test("[W7][I4] what the log forgets is in the document", () => {
  const room = scene({ maxEntries: 1 });
  for (const letter of "abcdefgh") {
    room.write(() => room.writer.text.insert(room.writer.text.length, letter));
    room.chat(100);
    if (letter === "d") room.sleep();
  }
  expect(room.room.log.head).toBeGreaterThan(700);
  expect(room.read()).toBe("abcdefgh");
});

test("[W7][I4] a log that is trimmed while it is opened forgets nothing of a document", async () => {
  const room = new Scene({ ...FAST, retention: { maxAgeMs: 1_000 } });
  room.write(() => room.writer.text.insert(0, "kept"));
  await room.clock.advance(100_000);
  room.sleep();
  expect(room.room.log.stats.entries).toBe(0);
  expect(room.read()).toBe("kept");
});

test("[W7][I1] what could not be stored when it had to be is stored later, and nothing of it is torn", () => {
  const room = scene();
  room.write(() => room.writer.text.insert(0, "one "));
  room.write(() => room.writer.text.insert(4, "two"));
  room.write(() => room.writer.text.insert(0, "else"), "doc:else");
  const exec = room.sql.exec.bind(room.sql);
  let left = 1;
  room.sql.exec = (query, ...values) => {
    if (query.includes("INTO documents") && (left -= 1) < 0) throw new Error("the disk is full");
    return exec(query, ...values);
  };
  // Moves the mark, as soon as it can.
  room.chat(FOLD_ENTRIES);
  expect(room.reported.length).toBeGreaterThan(0);
  expect(room.room.log.settings.get("documents")).toContain('"seq":0');
  room.sql.exec = exec;
  expect(room.read()).toBe("one two");
  room.sleep();
  expect(room.read()).toBe("one two");
  room.chat(1);
  expect(room.room.log.settings.get("documents")).not.toContain('"seq":0');
  room.sleep();
  expect([room.read(), room.read("else")]).toEqual(["one two", ""]);
});

test("[W7][P2] a change costs no row of its own, and neither does reading", () => {
  const room = scene();
  room.write(() => room.writer.text.insert(0, "begins"));
  const { rowsWritten: before } = room.sql;
  for (let n = 0; n < 100; n += 1) room.write(() => room.writer.text.insert(0, "x"));
  room.read();
  expect(room.sql.rowsWritten - before).toBe(100);
  room.room.documents.fold(room.room.log);
  // The part in the place of the one before, and the mark.
  expect(room.sql.rowsWritten - before).toBe(103);
  room.read();
  expect(room.sql.rowsWritten - before).toBe(103);
});

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

test("[W7][I3] a document that is made smaller loses nothing that was said meanwhile", () => {
  const room = scene();
  const { documents, log } = room.room;
  const grow = (): void => {
    for (let n = 0; n < 4; n += 1) {
      room.write(() => {
        room.writer.text.insert(0, "x".repeat(50_000));
        room.writer.text.delete(0, 40_000);
      });
      documents.fold(log);
    }
  };
  grow();
  const { parts, compaction = -1 } = documents.read(log, "notes");
  const smaller = compact(join(parts)) ?? NOTHING;
  room.write(() => room.writer.text.insert(0, "said, "));
  documents.fold(log);
  room.write(() => room.writer.text.insert(0, "meanwhile "));
  const { bytes: before } = documents.stats;
  documents.compact("notes", compaction, smaller);
  expect(documents.stats.bytes).toBeLessThan(before / 2);
  const text = `meanwhile said, ${"x".repeat(40_000)}`;
  expect(room.read()).toBe(text);
  room.sleep();
  expect(room.read()).toBe(text);
  // Late, or twice, it does nothing.
  room.room.documents.compact("notes", 1, NOTHING);
  room.room.documents.compact("none", compaction, NOTHING);
  expect(room.read()).toBe(text);
});

test("[W7][I1] however much is said, whoever reads a document has little looked through", () => {
  const room = scene();
  room.write(() => room.writer.text.insert(0, "begins"));
  room.chat(FOLD_ENTRIES);
  room.sleep();
  const { blobBytesRead: before } = room.sql;
  expect(room.read()).toBe("begins");
  expect(room.sql.blobBytesRead - before).toBeLessThan(1_000);
});

test("[W7] a version is another one with each change, and the same without", () => {
  const room = scene();
  expect(room.version).toBe("0");
  room.write(() => room.writer.text.insert(0, "a"));
  const { version } = room;
  room.chat(5);
  room.sleep();
  expect(room.version).toBe(version);
  room.write(() => room.writer.text.insert(0, "b"));
  expect(room.version).not.toBe(version);
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

test("[W7] a room without documents keeps nothing for them", () => {
  const room = scene({ maxEntries: 10 });
  room.chat(300);
  const tables = "SELECT name FROM sqlite_master WHERE name = 'documents'";
  expect(room.sql.exec(tables).toArray()).toEqual([]);
  expect(room.room.log.settings.get("documents")).toBeUndefined();
});
