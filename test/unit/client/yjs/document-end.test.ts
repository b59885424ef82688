/** The end of a shared document: why, and that nothing is left of it. */
import { expect, test } from "vitest";
import { openDocument } from "../../../../src/client/yjs/index.ts";
import { changeOf, NAME, type Scene, scene } from "./scene.ts";

test("[W7] a document that may not be seen, or is deleted, is closed with the reason", async () => {
  const hidden = scene();
  hidden.server.hide = () => 403;
  const forbidden = hidden.open();
  const synced = forbidden.synced();
  await hidden.run();
  expect(forbidden.state.get()).toEqual({ kind: "closed", because: "forbidden", message: "No." });
  await expect(synced).rejects.toMatchObject({ name: "ClientError", code: "forbidden" });
  expect(hidden.room.state.get().kind).toBe("live");
  hidden.client.close();

  for (const isTold of [true, false]) {
    const { server, client, open, here, run } = scene();
    const document = open();
    await run();
    if (isTold) server.delete(NAME);
    else {
      server.deleted.add(NAME);
      here.insert(0, "x");
    }
    await run();
    expect(document.state.get()).toMatchObject({ kind: "closed", because: "document_deleted" });
    here.insert(0, "y");
    await run();
    expect(server.log.map(({ payload }) => payload)).toEqual(isTold ? [null] : []);
    client.close();
  }
});

test("[W7] an answer that holds no document ends it", async () => {
  for (const answer of [{}, { update: 7 }, { update: "?" }, { update: "BwcH" }, []]) {
    const { options, client, room, doc, run } = scene();
    const bad = { ...options, fetch: () => Promise.resolve(Response.json(answer)) };
    const document = openDocument(bad, room, NAME, doc);
    await run();
    expect(document.state.get()).toMatchObject({ kind: "closed", because: "bad_answer" });
    client.close();
  }
});

test.each<[how: string, end: (scene: Scene) => void, because: string]>([
  ["it is closed", () => {}, "closed"],
  ["the document is destroyed", ({ doc }) => doc.destroy(), "closed"],
  ["the room is closed", ({ room }) => room.close(), "closed"],
  ["the room is left", ({ room }) => room.leave(), "left"],
  [
    "the room refuses",
    ({ server }) => {
      for (const link of server.links) link.fail("not_found", "no");
    },
    "not_found",
  ],
])("[W7] nothing is left of it when %s, whatever it was doing", async (how, end, because) => {
  for (const when of [
    "before",
    "connecting",
    "loading",
    "synced",
    "saving",
    "posting",
    "offline",
  ]) {
    const all = scene();
    const { clock, server, client, room, doc, open, here, run } = all;
    if (when === "before") end(all);
    const document = open();
    let ends = 0;
    document.state.onChange(() => {
      if (document.state.get().kind === "closed") ends += 1;
    });
    const unseen = document.synced();
    if (when !== "before" && when !== "connecting") {
      server.fate = () => (when === "loading" ? { back: 5_000 } : {});
      await run();
    }
    server.latency = () => 500;
    server.fate = () => ({ there: 500, back: 500 });
    if (when === "saving") here.insert(0, "x");
    if (when === "posting") here.insert(0, "x".repeat(70_000));
    if (when === "offline") for (const link of server.links) link.fail();
    if (when === "saving" || when === "posting") await run();
    if (when !== "before") end(all);
    document.close();
    expect(document.state.get()).toMatchObject({ kind: "closed" });
    const isTold = when !== "before" && !(how === "the room refuses" && when === "offline");
    if (isTold) expect(document.state.get()).toMatchObject({ because });
    if (when !== "before") expect(ends).toBe(1);
    for (const event of ["update", "destroy"]) expect(doc._observers.has(event)).toBe(false);
    const asked = server.asked.length;
    here.insert(0, "after");
    room.close();
    client.close();
    await clock.advance(120_000);
    expect([server.asked.length, clock.armed]).toEqual([asked, 0]);
    await unseen.catch(() => {});
  }
});

test("[W7] closing stops the syncing and leaves the room", async () => {
  const { server, client, room, open, here, there, run } = scene();
  const document = open();
  await run();
  document.close();
  document.close();
  here.insert(0, "x");
  server.change(
    NAME,
    changeOf(server.doc(NAME), (text) => text.insert(0, "y")),
  );
  await run();
  expect([here.toJSON(), there.toJSON(), room.state.get().kind]).toEqual(["x", "y", "live"]);
  // It can be taken up again.
  const again = open();
  await run();
  expect([here.toJSON(), again.state.get().kind]).toEqual([there.toJSON(), "synced"]);
  client.close();
});

test("[W7] it may be closed by what the application does when the document changes", async () => {
  const { server, client, doc, open, there, run } = scene();
  there.insert(0, "x");
  const document = open();
  doc.on("update", () => {
    document.close();
  });
  await run();
  expect([document.state.get().kind, server.log]).toEqual(["closed", []]);
  client.close();
});
