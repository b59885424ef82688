/** Shared documents of a room in the real runtime: its doors, its sleep, and what is no document. */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { MAX_MESSAGE_BYTES } from "../../src/protocol/limits.ts";
import { fromBase64, toBase64 } from "../../src/protocol/json.ts";
import { call, post, postMany, read, stat } from "../support/room-http.ts";
import { RoomMember } from "../support/room-member.ts";
import { until } from "../support/until.ts";
import { textOf, writer } from "../support/writer.ts";

const BINARY = { "content-type": "application/octet-stream" };

/** The text of a document, as its door gives it. */
async function textIn(path: string): Promise<string> {
  const { updates } = (await read(path)) as { readonly updates: readonly string[] };
  return textOf(...updates.map((update) => fromBase64(update) ?? new Uint8Array()));
}

async function change(path: string, update: Uint8Array): Promise<Response> {
  return await call(path, { method: "POST", body: update, headers: BINARY });
}

async function problem(answer: Promise<Response>): Promise<readonly [number, unknown]> {
  const response = await answer;
  const { code } = await response.json<{ code?: unknown }>();
  return [response.status, code];
}

describe("[W7] a shared document", () => {
  it("[W7][W1] is what members have said, and the others hear it", async () => {
    const ann = await RoomMember.welcomed("doc-said", { member: "ann" });
    const bob = await RoomMember.welcomed("doc-said", { member: "bob" });
    const { text, updates } = writer();
    text.insert(0, "Hello");
    text.insert(5, " world");
    for (const [n, update] of updates.entries()) ann.publish(`u${n}`, update, "doc:notes");
    await until("bob has it", () => bob.messages.length === 2);
    expect(textOf(...bob.messages.map(({ payload }) => payload as Uint8Array))).toBe("Hello world");
    expect(await textIn("doc-said/documents/notes")).toBe("Hello world");
  });

  it("[W7][I1] is the same after a sleep", async () => {
    const ann = await RoomMember.welcomed("doc-sleep", { member: "ann" });
    const { text, updates } = writer();
    text.insert(0, "one");
    ann.publish("1", updates[0], "doc:notes");
    await until("it is stored", () => ann.of("published").length === 1);
    await evictDurableObject(env.ROOMS.getByName("doc-sleep"));
    expect(await textIn("doc-sleep/documents/notes")).toBe("one");
    text.insert(3, " two");
    ann.publish("2", updates[1], "doc:notes");
    await until("it is stored", () => ann.of("published").length === 2);
    await evictDurableObject(env.ROOMS.getByName("doc-sleep"));
    expect(await textIn("doc-sleep/documents/notes")).toBe("one two");
  });

  it("[W7][I4] outlives the messages that made it", async () => {
    const room = "short:doc";
    const { text, updates } = writer();
    for (let n = 0; n < 5; n += 1) {
      text.insert(0, `${n}`);
      expect((await change(`${room}/documents/notes`, updates[n] ?? new Uint8Array())).status).toBe(
        201,
      );
      await postMany(room, 40);
    }
    expect(Number((await read(`${room}/stats`))["messages"])).toBeLessThan(100);
    await evictDurableObject(env.ROOMS.getByName(room));
    expect(await textIn(`${room}/documents/notes`)).toBe("43210");
  });

  it("[W7] takes by request what is too large for a message, and tells who is there", async () => {
    const ann = await RoomMember.welcomed("doc-large", { member: "ann" });
    const { text, updates } = writer();
    text.insert(0, "x".repeat(1_000_000));
    const [update = new Uint8Array()] = updates;
    const body = JSON.stringify({ update: toBase64(update) });
    const answer = await call("doc-large/documents/big", { method: "POST", body });
    expect(await answer.json()).toEqual({
      room: "doc-large",
      document: "big",
      position: `${ann.welcome.epoch}_0000000000000001`,
    });
    await until("ann is told", () => ann.messages.length === 1);
    expect(ann.messages).toMatchObject([{ event: "doc:big", payload: null, sender: "" }]);
    await evictDurableObject(env.ROOMS.getByName("doc-large"));
    expect(await textIn("doc-large/documents/big")).toHaveLength(1_000_000);
    const [listed] = (await read("doc-large/documents"))["documents"] as { bytes: number }[];
    expect(listed?.bytes).toBeGreaterThan(1_000_000);
  });

  it("[W7] is a message, where one can carry it", async () => {
    const ann = await RoomMember.welcomed("doc-small", { member: "ann" });
    const { text, updates } = writer();
    text.insert(0, "x".repeat(MAX_MESSAGE_BYTES - 100));
    await change("doc-small/documents/a", updates[0] ?? new Uint8Array());
    await until("ann has it", () => ann.messages.length === 1);
    expect(textOf(ann.messages[0]?.payload as Uint8Array)).toHaveLength(MAX_MESSAGE_BYTES - 100);
  });

  it("[W7] is answered as bytes, too, and shortly when nothing has changed", async () => {
    const empty = await call("doc-etag/documents/a?format=binary");
    expect([empty.status, empty.headers.get("etag")]).toEqual([200, 'W/"0"']);
    expect(new Uint8Array(await empty.arrayBuffer())).toEqual(Uint8Array.of(0, 0));
    const { text, updates } = writer();
    text.insert(0, "a");
    await change("doc-etag/documents/a", updates[0] ?? new Uint8Array());
    const headers = { accept: "application/octet-stream" };
    const full = await call("doc-etag/documents/a", { headers });
    expect(full.headers.get("content-type")).toBe("application/octet-stream");
    expect(textOf(new Uint8Array(await full.arrayBuffer()))).toBe("a");
    const etag = full.headers.get("etag") ?? "";
    const again = { headers: { ...headers, "if-none-match": `"other", ${etag}` } };
    await post("doc-etag", { event: "chat", payload: 1 });
    const same = await call("doc-etag/documents/a", again);
    expect([same.status, await same.text()]).toEqual([304, ""]);
    text.insert(0, "b");
    await change("doc-etag/documents/a", updates[1] ?? new Uint8Array());
    const other = await call("doc-etag/documents/a", again);
    expect(other.status).toBe(200);
    expect(textOf(new Uint8Array(await other.arrayBuffer()))).toBe("ba");
  });

  it("[W7] is deleted for good, and who is there is told", async () => {
    const ann = await RoomMember.welcomed("doc-gone", { member: "ann" });
    const { text, updates } = writer();
    text.insert(0, "secret");
    const [update = new Uint8Array()] = updates;
    await change("doc-gone/documents/a", update);
    expect((await call("doc-gone/documents/a", { method: "DELETE" })).status).toBe(204);
    await until("ann is told", () => ann.messages.length === 2);
    expect(ann.messages[1]).toMatchObject({ event: "doc:a", payload: null });
    const gone = [410, "document_deleted"];
    expect(await problem(call("doc-gone/documents/a"))).toEqual(gone);
    expect(await problem(change("doc-gone/documents/a", update))).toEqual(gone);
    expect((await call("doc-gone/documents/a", { method: "DELETE" })).status).toBe(204);
    ann.publish("late", update, "doc:a");
    await until("it is refused", () => ann.of("error").length === 1);
    expect(ann.of("error")).toMatchObject([{ id: "late", code: "document_deleted" }]);
    expect(await read("doc-gone/documents")).toEqual({ room: "doc-gone", documents: [] });
  });

  it("[W7][W4] refuses what is no change, by whatever door, and goes on", async () => {
    const ann = await RoomMember.welcomed("doc-bad", { member: "ann" });
    ann.publish("text", "text", "doc:a");
    ann.publish("nil", null, "doc:a");
    ann.publish("bytes", Uint8Array.of(9, 9, 9), "doc:a");
    ann.publish("name", Uint8Array.of(0, 0), "doc:a/b");
    await until("all are refused", () => ann.of("error").length === 4);
    expect(ann.of("error").map(({ id, code }) => [id, code])).toEqual([
      ["text", "bad_payload"],
      ["nil", "bad_payload"],
      ["bytes", "bad_payload"],
      ["name", "bad_name"],
    ]);
    const path = "doc-bad/documents/a";
    const bad: readonly (readonly [Promise<Response>, number, string])[] = [
      [change(path, Uint8Array.of(9, 9, 9)), 400, "bad_payload"],
      [change(path, new Uint8Array()), 400, "bad_payload"],
      [change(path, new Uint8Array(100_000).fill(9)), 400, "bad_payload"],
      [change(path, new Uint8Array(1_050_000)), 413, "body_too_large"],
      [change(path, new Uint8Array(5_000_000)), 413, "body_too_large"],
      [change("doc-bad/documents/a%2Fb", Uint8Array.of(0, 0)), 400, "bad_name"],
      [call("doc-bad/documents/a%2Fb"), 400, "bad_name"],
      [call(`doc-bad/documents/${"x".repeat(61)}`), 400, "bad_name"],
      [call(path, { method: "POST", body: "{}" }), 400, "invalid_request"],
      [call(path, { method: "POST", body: '{"update":"%"}' }), 400, "invalid_request"],
      [call(path, { method: "POST", body: "text" }), 400, "invalid_json"],
      [call(path, { method: "PUT", body: "{}" }), 405, "method_not_allowed"],
      [call(`${path}?format=xml`), 400, "invalid_request"],
    ];
    for (const [answer, status, code] of bad) expect(await problem(answer)).toEqual([status, code]);
    const payload = { $base64: "CQkJ" };
    const body = JSON.stringify([
      { event: "chat", payload: 1 },
      { event: "doc:a", payload },
    ]);
    const refused = await call("doc-bad/messages", { method: "POST", body });
    expect(await refused.json()).toMatchObject({ code: "bad_payload", index: 1, param: "payload" });
    expect(await stat("doc-bad", "messages")).toBe(0);
    expect(await stat("doc-bad", "documents")).toBe(0);
  });

  it("[W7][I5] has no more than its room's share, also by one request", async () => {
    const body = Array.from({ length: 256 }, (_, n) => ({
      event: `doc:${n}`,
      payload: { $base64: "AAA=" },
    }));
    await post("doc-many", { event: "doc:first", payload: { $base64: "AAA=" } });
    const refused = call("doc-many/messages", { method: "POST", body: JSON.stringify(body) });
    expect(await problem(refused)).toEqual([409, "too_many_documents"]);
    expect(await stat("doc-many", "documents")).toBe(256);
    expect(await stat("doc-many", "messages")).toBe(1);
  });

  it("[W7] is made smaller when it has been read, and stays the same", async () => {
    const { text, updates } = writer();
    for (let n = 0; n < 1_500; n += 1) text.insert(text.length, "x");
    const body = updates.map((update) => ({
      event: "doc:a",
      payload: { $base64: toBase64(update) },
    }));
    for (let at = 0; at < body.length; at += 200)
      await post("short:smaller", body.slice(at, at + 200));
    await until("it is stored", async () => (await stat("short:smaller", "documentBytes")) > 6_000);
    expect(await textIn("short:smaller/documents/a")).toBe("x".repeat(1_500));
    await until(
      "it is smaller",
      async () => (await stat("short:smaller", "documentBytes")) < 4_000,
    );
    await evictDurableObject(env.ROOMS.getByName("short:smaller"));
    expect(await textIn("short:smaller/documents/a")).toBe("x".repeat(1_500));
  });

  it("[W7] asking makes neither a document nor a room", async () => {
    expect(await read("doc-none/documents")).toEqual({ room: "doc-none", documents: [] });
    expect(await textIn("doc-none/documents/a")).toBe("");
    expect(await problem(call("doc-none/documents/a", { method: "DELETE" }))).toEqual([
      404,
      "not_found",
    ]);
    expect(await stat("doc-none", "wakes")).toBe(0);
  });
});
