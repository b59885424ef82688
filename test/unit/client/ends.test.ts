/** Ends as an application meets them: of a client, of an answer that is drawn, of what a runtime has. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, expect, test, vi } from "vitest";
import { createClient, paced } from "../../../src/client/index.ts";
import { isMessageId } from "../../../src/protocol/names.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { until } from "../../support/until.ts";
import { FakeFetch, FakeWebSocket } from "./fake-network.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

function open() {
  const network = new FakeFetch();
  const clock = new FakeClock();
  const client = createClient({ url: "http://sluice.test", fetch: network.fetch, clock });
  return { network, clock, client };
}

test("[I7] a client keeps nothing of what was dropped, and all that is read", async () => {
  const { network, client } = open();
  const items: unknown[] = [];
  const drop = async (): Promise<readonly WeakRef<object>[]> => {
    network.answer(Response.json({ position: "p1" }));
    const published = client.topic("a");
    await published.publish("a", 1);
    const read = client.topic("b");
    read.subscribe((item) => {
      items.push(item);
    });
    const left = client.topic("c");
    left.subscribe(() => {})();
    return [published, left, read].map((one) => new WeakRef(one));
  };
  const refs = await drop();
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  await until("two of them to be gone", async () => {
    await settle();
    collect();
    return refs.filter((ref) => ref.deref() === undefined).length === 2;
  });
  network.streams[0]?.write("id: p1\ndata: 1\n\n");
  await until("the third to be read", () => items.length === 1);
  client.close();
  await settle();
  expect(network.streams[0]?.isGone).toBe(true);
});

test("[E1] a closed client refuses what is asked of it and of what it has opened", async () => {
  vi.stubGlobal("WebSocket", FakeWebSocket);
  const { network, client } = open();
  const [topic, room] = [client.topic("t"), client.room("r")];
  client.close();
  const closed = { name: "ClientError", code: "closed" };
  await expect(topic.publish("a", 1)).rejects.toMatchObject(closed);
  await expect(room.publish("a", 1)).rejects.toMatchObject(closed);
  await expect(room.join()).rejects.toMatchObject(closed);
  for (const use of [
    () => client.topic("t"),
    () => client.room("r"),
    () => client.chat({ messages: [] }),
    () => client.resumeChat("gen_1"),
  ]) {
    expect(use).toThrow(expect.objectContaining(closed));
  }
  expect(network.asked).toEqual([]);
});

test("[E1] a refused publish says the status", async () => {
  const { network, client } = open();
  network.answer(Response.json({ code: "not_allowed", detail: "No." }, { status: 403 }));
  await expect(client.topic("t").publish("a", 1)).rejects.toMatchObject({
    code: "not_allowed",
    status: 403,
  });
});

test("[E1] a page without HTTPS, which browsers give no UUIDs, publishes and asks all the same", async () => {
  const real = crypto;
  vi.stubGlobal("crypto", {
    getRandomValues: (array: Uint32Array<ArrayBuffer>) => real.getRandomValues(array),
  });
  vi.stubGlobal("WebSocket", FakeWebSocket);
  const { network, client } = open();
  const topic = client.topic("t");
  for (const position of ["p1", "p2"]) {
    network.answer(Response.json({ position }));
    await topic.publish("a", 1);
  }
  client.chat({ messages: [] });
  await settle();
  const ids = network.asked.map(
    ({ headers, body }) =>
      headers.get("idempotency-key") ?? (body as { readonly id?: string } | undefined)?.id ?? "",
  );
  expect(new Set(ids).size).toBe(3);
  for (const id of ids) expect(isMessageId(id)).toBe(true);
  const said = client.room("r").publish("a", 1);
  client.close();
  // It waited to be sent: its id was one.
  await expect(said).rejects.toMatchObject({ code: "closed" });
});

test("[E2] a token that ends while a publish waits for the server is replaced, and so it is stored", async () => {
  const network = new FakeFetch();
  const clock = new FakeClock();
  let given = 0;
  const client = createClient({
    url: "http://sluice.test",
    fetch: network.fetch,
    clock,
    token: () => `token-${(given += 1)}`,
  });
  const refused = (): Response => Response.json({ code: "token_expired" }, { status: 401 });
  const busy = { status: 503, headers: { "retry-after": "60" } };
  network.answer(Response.json({ code: "room_overloaded" }, busy));
  network.answer(refused());
  network.answer(Response.json({ position: "p1" }));
  const published = client.topic("t").publish("a", 1);
  await clock.advance(62_000);
  await expect(published).resolves.toEqual({ position: "p1" });
  const shown = (): (string | null)[] =>
    network.asked.map(({ headers }) => headers.get("authorization"));
  expect(shown()).toEqual(["Bearer token-1", "Bearer token-1", "Bearer token-2"]);
  // Another that is refused, too, is no better.
  network.answer(refused());
  network.answer(refused());
  await expect(client.topic("t").publish("a", 1)).rejects.toMatchObject({ code: "token_expired" });
  expect(shown().slice(3)).toEqual(["Bearer token-2", "Bearer token-3"]);
  expect(clock.armed).toBe(0);
});

test("[P4][L4] the end of an answer is told after all of it was handed over, also at the pace of a screen", async () => {
  const { network, clock, client } = open();
  const answer = client.chat({ messages: [{ role: "user", content: "?" }] });
  const told: string[] = [];
  const frames: (() => void)[] = [];
  answer.subscribe(
    paced(
      (deltas) => told.push(...deltas.map((delta) => (delta.kind === "text" ? delta.text : ""))),
      (run) => frames.push(run),
    ),
  );
  void answer.end.then(({ state }) => told.push(state));
  await settle();
  const chunk = JSON.stringify({ choices: [{ index: 0, delta: { content: "Hello" } }] });
  network.streams[0]?.write(`id: p1\ndata: ${chunk}\n\nid: p2\ndata: [DONE]\n\n`);
  await clock.advance(1_000);
  expect(told).toEqual([]);
  for (const frame of frames) frame();
  await settle();
  expect(told).toEqual(["Hello", "completed"]);
});

test("[E1] a runtime without WebSocket is told so, once and for all", async () => {
  vi.stubGlobal("WebSocket", undefined);
  const { client } = open();
  const room = client.room("r");
  await expect(room.join()).rejects.toMatchObject({
    code: "no_websocket",
    message: expect.stringContaining("Node") as string,
  });
  expect(room.state.get()).toMatchObject({ kind: "closed", because: "no_websocket" });
});
