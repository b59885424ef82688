/** Documents beside a log: what is stored, when, and what a sleep or a trim does to it. */
import { expect, test } from "vitest";
import { compact } from "../../../durable-objects/document/compact.ts";
import { NOTHING } from "../../../durable-objects/document/update.ts";
import { encodeEntry } from "../../../src/protocol/encode-server-frame.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { openLog } from "../../../durable-objects/log/log.ts";
import { FOLD_ENTRIES } from "../../../durable-objects/document/limits.ts";
import { DocumentScene, FAST, scene } from "../../support/document-scene.ts";

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
  const room = new DocumentScene({ ...FAST, retention: { maxAgeMs: 1_000 } });
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

test("[W7][I1] a room goes on whose changes were removed by code that knew no documents", () => {
  const room = scene({ maxEntries: 1 });
  room.write(() => room.writer.text.insert(0, "kept "));
  room.room.documents.fold(room.room.log);
  room.write(() => room.writer.text.insert(5, "lost"));
  const { sql, clock } = room;
  const old = openLog(sql, { clock, random: () => 0.5, retention: { maxEntries: 1 } });
  const payload = encodeValue("x");
  const entries = encodeEntry({ sender: "", at: 0, event: "chat", payload, id: "" });
  for (let n = 0; n < 100; n += 1) old.append({ entries, count: 1, ids: "" });
  old.trim();
  room.sleep();
  room.chat(100);
  expect(room.reported.length).toBeGreaterThan(0);
  expect(room.read()).toBe("kept ");
  expect(room.room.log.stats.entries).toBeLessThan(100);
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
  const smaller = compact(parts) ?? NOTHING;
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

test("[W7] a room without documents keeps nothing for them", () => {
  const room = scene({ maxEntries: 10 });
  room.chat(300);
  const tables = "SELECT name FROM sqlite_master WHERE name = 'documents'";
  expect(room.sql.exec(tables).toArray()).toEqual([]);
  expect(room.room.log.settings.get("documents")).toBeUndefined();
});
