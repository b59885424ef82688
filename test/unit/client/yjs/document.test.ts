/** A shared document while all goes well: what is said, asked for and sent. */
import { expect, test } from "vitest";
import * as Y from "yjs";
import { openDocument } from "../../../../src/client/yjs/index.ts";
import { changeOf, NAME, PATH, scene } from "./scene.ts";

test("[W7] the server's state is taken, what it lacks is sent, and each hears the other at once", async () => {
  const { clock, server, client, doc, open, here, there, run } = scene();
  there.insert(0, "there ");
  here.insert(0, "here ");
  const origins: unknown[] = [];
  doc.on("update", (_: Uint8Array, origin: unknown) => origins.push(origin));
  const document = open();
  expect(document.state.get()).toEqual({ kind: "loading" });
  const synced = document.synced();
  await run();
  await synced;
  expect(document.state.get()).toEqual({ kind: "synced" });
  expect(here.toJSON()).toBe(there.toJSON());
  expect(server.asked).toEqual([`GET ${PATH}`]);
  expect(origins).toContain(document);

  server.change(
    NAME,
    changeOf(server.doc(NAME), (text) => text.insert(0, "live ")),
  );
  await run();
  expect(here.toJSON()).toBe(there.toJSON());
  await clock.advance(100);
  here.delete(0, 5);
  expect(document.state.get()).toEqual({ kind: "saving" });
  await run();
  expect([there.toJSON(), document.state.get().kind]).toEqual([here.toJSON(), "synced"]);
  // What is known already is sent to nobody: one message each, and the one that was said live.
  expect(server.log).toHaveLength(3);
  client.close();
});

test("[W7][P2] what is typed in a tenth of a second shares a message, and the first letter waits for nothing", async () => {
  const { clock, server, client, open, here, there } = scene();
  const document = open();
  await clock.advance(100);
  for (const letter of "abcdefghij") {
    here.insert(here.length, letter);
    await clock.advance(20);
    if (letter === "a") expect(there.toJSON()).toBe("a");
  }
  await clock.advance(100);
  expect(there.toJSON()).toBe("abcdefghij");
  expect(server.log).toHaveLength(3);
  const { armed: before } = clock;
  here.insert(0, "x");
  await clock.advance(20);
  expect(clock.armed).toBe(before + 1);
  // Closed within the pause: what waits goes at once.
  here.insert(0, "y");
  document.close();
  await clock.advance(20);
  expect([there.toJSON(), clock.armed]).toEqual(["yxabcdefghij", before]);
  client.close();
});

test("[W7] a document that holds nothing new sends nothing", async () => {
  const { server, client, doc, open, there, run } = scene();
  there.insert(0, "abc");
  there.delete(0, 1);
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(server.doc(NAME)));
  const document = open();
  await run();
  expect([document.state.get().kind, server.log]).toEqual(["synced", []]);
  client.close();
});

test("[W7] what was only deleted here is sent, too", async () => {
  const { server, client, doc, open, here, there, run } = scene();
  there.insert(0, "abc");
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(server.doc(NAME)));
  here.delete(0, 1);
  open();
  await run();
  expect(there.toJSON()).toBe("bc");
  client.close();
});

test("[W7][P2] one change is on its way at a time, and all others are merged into the next", async () => {
  const { clock, server, client, open, here, there, run } = scene();
  const document = open();
  await run();
  server.latency = () => 100;
  for (const letter of "abcdef") here.insert(here.length, letter);
  await clock.advance(150);
  here.insert(here.length, "g");
  await clock.advance(60);
  expect(document.state.get().kind).toBe("saving");
  await clock.advance(400);
  expect([there.toJSON(), server.log.length, document.state.get().kind]).toEqual([
    "abcdefg",
    2,
    "synced",
  ]);
  client.close();
});

test("[W7] what does not fit a message goes by request, up to the byte", async () => {
  const { clock, server, client, doc, open } = scene();
  const run = async (): Promise<void> => await clock.advance(100);
  const document = open();
  await run();
  const map = doc.getMap<Uint8Array>("m");
  const sizes: number[] = [];
  doc.on("update", (update: Uint8Array) => sizes.push(update.length));
  map.set("0", new Uint8Array(65_000));
  await run();
  const rest = 65_000 + 65_533 - (sizes.at(-1) ?? 0);
  const posts: number[] = [];
  for (const [index, size] of [rest, rest + 1, 300_000].entries()) {
    map.set(`${index + 1}`, new Uint8Array(size));
    await run();
    posts.push(server.asked.filter((asked) => asked === `POST ${PATH}`).length);
    expect(document.state.get().kind).toBe("synced");
  }
  expect(sizes).toEqual(expect.arrayContaining([65_533, 65_534]));
  expect(posts).toEqual([0, 1, 2]);
  expect(server.doc(NAME).getMap("m").toJSON()).toEqual(map.toJSON());
  client.close();
});

test("[W7] a change that is too large for a message is asked for; so is what a gap hides", async () => {
  const { clock, server, client, open, here, there, run } = scene();
  const document = open();
  await run();
  const add = (text: string): Uint8Array =>
    changeOf(server.doc(NAME), (theirs) => theirs.insert(0, text));
  server.change(NAME, add("large "), true);
  await run();
  expect([here.toJSON(), server.asked.length]).toEqual(["large ", 2]);

  for (const link of server.links) link.fail();
  server.change(NAME, add("missed "));
  server.trim();
  await clock.advance(1_000);
  expect([here.toJSON(), server.asked.length]).toEqual([there.toJSON(), 3]);
  expect(document.state.get().kind).toBe("synced");
  client.close();
});

test("[W7] while the state is asked for, what comes and what is made here is known, and not sent twice", async () => {
  const { clock, server, client, open, here, there, run } = scene();
  const document = open();
  await run();
  const add = (text: string): Uint8Array =>
    changeOf(server.doc(NAME), (theirs) => theirs.insert(0, text));
  server.fate = () => ({ back: 1_000 });
  server.change(NAME, add("large "), true);
  await run();
  expect(document.state.get().kind).toBe("loading");
  server.change(NAME, add("live "));
  here.insert(0, "mine ");
  await run();
  // Nobody waits for a request of ours.
  expect(there.toJSON()).toContain("mine ");
  await clock.advance(1_000);
  expect([here.toJSON(), document.state.get().kind]).toEqual([there.toJSON(), "synced"]);
  expect(server.log).toHaveLength(3);

  // Another one while it is asked for: once more, and not at the same time.
  server.change(NAME, add("a "), true);
  await run();
  server.change(NAME, add("b "), true);
  server.change(NAME, add("c "), true);
  await run();
  expect(server.asked).toHaveLength(3);
  await clock.advance(2_000);
  expect([here.toJSON(), server.asked.length]).toEqual([there.toJSON(), 4]);
  client.close();
});

test("[W7] other documents and other events of the room are not its own, and validators are no hindrance", async () => {
  const valid = { value: "ok" };
  const chat = { "~standard": { version: 1, vendor: "test", validate: () => valid } } as const;
  const { server, client, room, open, here, there, run } = scene({ schema: { chat } });
  const items: string[] = [];
  open();
  room.subscribe((item) => void items.push(item.kind));
  await run();
  const update = changeOf(server.doc(NAME), (text) => text.insert(0, "x"));
  server.say({ sender: "", event: "doc:notes2", payload: update, id: "1" });
  server.say({ sender: "", event: "chat", payload: null, id: "2" });
  await run();
  expect([here.toJSON(), server.asked.length]).toEqual(["", 1]);
  server.change(NAME, update);
  await run();
  expect([here.toJSON(), there.toJSON()]).toEqual(["x", "x"]);
  expect(items).toEqual(["invalid", "message", "invalid"]);
  client.close();
});

test("[W7] two documents of one room do not touch each other", async () => {
  const { server, options, client, room, open, here, there, run } = scene();
  const other = new Y.Doc();
  const documents = [open(), openDocument(options, room, "a.b:c_d-1", other)];
  await run();
  here.insert(0, "x");
  other.getText("t").insert(0, "other");
  await run();
  expect(there.toJSON()).toBe("x");
  expect(server.doc("a.b:c_d-1").getText("t").toJSON()).toBe("other");
  expect(documents.map(({ state }) => state.get().kind)).toEqual(["synced", "synced"]);
  client.close();
});
