/** A shared document in trouble: no connection, refusals, what is broken, and what the application does wrong. */
import { expect, test, vi } from "vitest";
import * as Y from "yjs";
import { openDocument } from "../../../../src/client/yjs/index.ts";
import { changeOf, NAME, PATH, scene } from "./scene.ts";

test("[W7][W5] what is written without a connection is sent as one when it is back", async () => {
  const { clock, server, client, open, here, there, run } = scene();
  const document = open();
  await run();
  server.isUp = () => false;
  for (const link of server.links) link.fail();
  expect(document.state.get()).toEqual({ kind: "offline" });
  for (let index = 0; index < 600; index += 1) here.insert(here.length, "x");
  await clock.advance(60_000);
  expect([document.state.get().kind, there.length]).toEqual(["offline", 0]);
  server.isUp = () => true;
  await clock.advance(60_000);
  expect([document.state.get().kind, there.length]).toEqual(["synced", 600]);
  expect(server.log).toHaveLength(1);
  // The room went on where it was: nothing had to be asked again.
  expect(server.asked).toHaveLength(1);
  client.close();
});

test("[W7] a change whose answer is lost with the connection is stored once, and found to be", async () => {
  const { clock, server, client, open, here, there, run } = scene();
  const document = open();
  await run();
  server.latency = () => 50;
  here.insert(0, "x");
  await clock.advance(60);
  expect(there.toJSON()).toBe("x");
  for (const link of server.links) link.fail();
  here.insert(1, "y");
  await clock.advance(2_000);
  expect([there.toJSON(), document.state.get().kind, server.log.length]).toEqual([
    "xy",
    "synced",
    2,
  ]);
  client.close();
});

test("[W7][W4] bytes that are no update harm nobody: the state is asked for instead", async () => {
  const { server, client, open, here, there, run } = scene();
  open();
  await run();
  for (const broken of [new Uint8Array(), Uint8Array.of(1, 2, 3), "text", { a: 1 }]) {
    server.distort = () => broken;
    server.change(
      NAME,
      changeOf(server.doc(NAME), (text) => text.insert(0, "x")),
    );
    await run();
  }
  expect([here.toJSON(), there.toJSON(), server.asked.length]).toEqual(["xxxx", "xxxx", 5]);
  client.close();
});

test("[W7][W4] what a member says to this one alone is not the document's", async () => {
  const { server, client, open, here, run } = scene();
  open();
  await run();
  const update = changeOf(server.doc(NAME), (text) => text.insert(0, "x"));
  const entry = { sender: "eve", at: 0, event: `doc:${NAME}`, payload: update, id: "d", mail: 1 };
  for (const link of server.links) link.tell({ kind: "mail", entries: [entry] });
  await run();
  expect(here.toJSON()).toBe("");
  client.close();
});

test("[W7] a refusal is said, reading goes on, and it is tried again: later, and with a new connection", async () => {
  const { clock, server, client, open, here, there, run } = scene();
  const document = open();
  const states: string[] = [];
  document.state.onChange(() => states.push(document.state.get().kind));
  await run();
  let refused = 0;
  server.refuse = () => {
    refused += 1;
    return { code: "document_full", retryAfterMs: undefined };
  };
  for (const letter of "abc") {
    here.insert(0, letter);
    await run();
  }
  // Not at each letter.
  expect(refused).toBe(1);
  const unsaved = { kind: "unsaved", because: "document_full", message: "No." };
  expect(document.state.get()).toEqual(unsaved);
  const synced = document.synced();
  server.change(
    NAME,
    changeOf(server.doc(NAME), (text) => text.insert(0, "theirs")),
  );
  await run();
  expect(here.toJSON()).toContain("theirs");
  await clock.advance(5_000);
  here.insert(0, "d");
  await run();
  expect([refused, document.state.get()]).toEqual([2, unsaved]);
  expect(states).toEqual(["synced", "saving", "unsaved"]);
  server.refuse = () => undefined;
  for (const link of server.links) link.fail();
  await clock.advance(1_000);
  await synced;
  expect([there.toJSON(), document.state.get().kind]).toEqual([here.toJSON(), "synced"]);
  client.close();
});

test("[W7] what was refused for its size is saved when it was made smaller since", async () => {
  const { clock, server, client, open, here, there, run } = scene();
  const document = open();
  await run();
  server.refuse = (update) =>
    update.length > 1_000 ? { code: "document_full", retryAfterMs: undefined } : undefined;
  here.insert(0, "x".repeat(2_000));
  await run();
  here.delete(0, 1_990);
  await clock.advance(5_000);
  here.insert(0, "!");
  await run();
  expect([there.toJSON(), document.state.get().kind]).toEqual([`!${"x".repeat(10)}`, "synced"]);
  client.close();
});

test("[W7] a member that may only read has the document, and its own change stays unsaved", async () => {
  const { server, client, open, here, there, run } = scene();
  server.refuse = () => ({ code: "forbidden", retryAfterMs: undefined });
  there.insert(0, "read me");
  const document = open();
  await run();
  expect([here.toJSON(), document.state.get().kind]).toEqual(["read me", "synced"]);
  here.delete(0, 5);
  await run();
  expect(document.state.get()).toMatchObject({ kind: "unsaved", because: "forbidden" });
  client.close();
});

test("[W7] trouble of network, server and token is waited out", async () => {
  const { clock, server, options, client, room, doc, here, there } = scene();
  const troubles = ["lost", "busy", "unanswered", "busy", "lost", "lost", "busy", "busy"] as const;
  let asked = 0;
  server.fate = () => {
    const trouble = troubles[asked];
    asked += 1;
    return trouble === undefined ? {} : { trouble };
  };
  let tokens = 0;
  const token = (): string => {
    tokens += 1;
    if (tokens < 3) throw new Error("no token");
    return "token";
  };
  there.insert(0, "x");
  const document = openDocument({ ...options, token }, room, NAME, doc);
  await clock.advance(600_000);
  expect([document.state.get().kind, here.toJSON(), asked]).toEqual(["synced", "x", 9]);
  client.close();
});

test("[W7] a request that waits to be repeated is made at once when the connection is back", async () => {
  const { clock, server, client, open } = scene();
  server.fate = () => ({ trouble: "busy" });
  const document = open();
  await clock.advance(120_000);
  server.fate = () => ({});
  for (const link of server.links) link.fail();
  await clock.advance(600);
  expect(document.state.get().kind).toBe("synced");
  client.close();
});

test("[W7] no connection from the beginning is said, and then mended", async () => {
  const { clock, server, client, open, here, there } = scene();
  server.isUp = () => false;
  here.insert(0, "x");
  const document = open();
  await clock.advance(10_000);
  expect([document.state.get().kind, server.asked]).toEqual(["offline", []]);
  server.isUp = () => true;
  await clock.advance(30_000);
  expect([document.state.get().kind, there.toJSON()]).toEqual(["synced", "x"]);
  client.close();
});

test("[W7] an outbox that is full of other messages holds up no document", async () => {
  const { server, client, room, open, here, there, run } = scene({ outbox: { maxBytes: 4 } });
  const document = open();
  await run();
  here.insert(0, "x");
  await run();
  expect([there.toJSON(), document.state.get().kind]).toEqual(["x", "synced"]);
  expect(server.asked).toContain(`POST ${PATH}`);
  expect(room.outbox.size.get()).toBe(0);
  client.close();
});

test("[W7] what an observer of the application throws is its own, and what it changes is sent", async () => {
  const { server, client, open, here, there, run } = scene();
  const thrown: unknown[] = [];
  vi.stubGlobal("queueMicrotask", (task: () => void) => {
    try {
      task();
    } catch (error) {
      thrown.push(error);
    }
  });
  const document = open();
  await run();
  here.observe((_, { local }) => {
    if (local) return;
    here.insert(here.length, "!");
    throw new Error("the editor's");
  });
  server.change(
    NAME,
    changeOf(server.doc(NAME), (text) => text.insert(0, "x")),
  );
  await run();
  vi.unstubAllGlobals();
  expect([here.toJSON(), there.toJSON(), document.state.get().kind]).toEqual([
    "x!",
    "x!",
    "synced",
  ]);
  expect(thrown).toMatchObject([{ message: "the editor's" }]);
  expect(server.asked).toHaveLength(1);
  client.close();
});

test.each(["", ".", "..", "a/b", "é", "a b", "x".repeat(61)])(
  "[W7][W4] %o is no document's name",
  (name) => {
    const { options, room, client } = scene();
    expect(() => openDocument(options, room, name, new Y.Doc())).toThrow(
      expect.objectContaining({ code: "bad_name" }),
    );
    client.close();
  },
);
