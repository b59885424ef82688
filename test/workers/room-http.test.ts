import { describe, expect, it } from "vitest";
import { call, post, postMany, stat } from "../support/room-http.ts";
import { RoomMember } from "../support/room-member.ts";
import { until } from "../support/until.ts";

interface Listing {
  readonly room: string;
  readonly messages: readonly {
    readonly position: string;
    readonly payload: unknown;
    readonly [field: string]: unknown;
  }[];
  readonly next: string;
  readonly done: boolean;
  readonly gap?: { readonly reason: string; readonly from: string; readonly to: string };
}

async function list(path: string): Promise<Listing> {
  const response = await call(path);
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return await response.json();
}

const seqOf = (position: string | undefined): number => Number(position?.split("_")[1]);

async function send(path: string, body: string, headers: Record<string, string> = {}) {
  const response = await call(path, { method: "POST", body, headers });
  const { code } = await response.json<{ code?: string }>();
  return [response.status, code];
}

describe("[W1] publishing over HTTP", () => {
  it("[W1] P43 brings a message of a backend to members, without a sender", async () => {
    const ann = await RoomMember.welcomed("post", { member: "ann" });
    const positions = await post("post", { event: "price", payload: { value: 1.5 } });
    await until("it is delivered", () => ann.messages.length === 1);
    expect(ann.messages[0]).toMatchObject({
      seq: 1,
      sender: "",
      event: "price",
      payload: { value: 1.5 },
    });
    expect(positions).toEqual([`${ann.welcome.epoch}_0000000000000001`]);
  });

  it("[W1] stores several messages in their order, together", async () => {
    const body = Array.from({ length: 256 }, (_, n) => ({ event: "tick", payload: n }));
    const positions = await post("many", body);
    expect(positions.map(seqOf)).toEqual(Array.from({ length: 256 }, (_, n) => n + 1));
    expect(await stat("many", "rows")).toBe(1);
    const { messages } = await list("many/messages?limit=1000");
    expect(messages.map(({ payload }) => payload)).toEqual(body.map(({ payload }) => payload));
  });

  it("[W3] P33 stores a request once that is repeated with its Idempotency-Key", async () => {
    const body = [
      { event: "tick", payload: 1 },
      { event: "tick", payload: 2 },
    ];
    const first = await post("idem", body, { "idempotency-key": "k-1" });
    await post("idem", { event: "tick", payload: "between" });
    const again = await post("idem", body, { "idempotency-key": "k-1" });
    expect(again).toEqual(first);
    const other = await post("idem", body, { "idempotency-key": "k-2" });
    expect(other.map(seqOf)).toEqual([4, 5]);
    expect(await stat("idem", "messages")).toBe(5);
    const single = { event: "tick", payload: 1, id: "own" };
    expect(await post("idem", single)).toEqual(await post("idem", single));
  });

  it("[W3] P33 keeps keys apart from each other and from ids of publishers", async () => {
    const pair = [
      { event: "tick", payload: 1 },
      { event: "tick", payload: 2 },
    ];
    const single = { event: "tick", payload: 3 };
    await post("apart", pair, { "idempotency-key": "a" });
    await post("apart", single, { "idempotency-key": "a.0" });
    await post("apart", { ...single, payload: 4, id: "a" });
    await post("apart", { ...single, payload: 5, id: "a.1" });
    const { messages } = await list("apart/messages");
    expect(messages.map(({ payload }) => payload)).toEqual([1, 2, 3, 4, 5]);
    const taken = JSON.stringify({ ...single, id: messages[0]?.["id"] });
    expect(await send("apart/messages", taken)).toEqual([400, "bad_name"]);
  });

  it("[W3] P33 refuses a key that comes with another request, and stores nothing of it", async () => {
    const tick = (payload: unknown) => ({ event: "tick", payload });
    const headers = { "idempotency-key": "k" };
    const first = await post("conflict", [tick(1), tick(2)], headers);
    for (const body of [
      [tick(1)],
      tick(1),
      [tick(1), tick(2), tick(3)],
      [tick(1), tick("two")],
      [tick(1), { event: "tock", payload: 2 }],
    ]) {
      const answer = send("conflict/messages", JSON.stringify(body), headers);
      expect(await answer).toEqual([409, "idempotency_conflict"]);
    }
    expect(await post("conflict", [tick(1), tick(2)], headers)).toEqual(first);
    expect(await stat("conflict", "messages")).toBe(2);
    // An id of the publisher's own is no part of the key.
    await post("conflict", { ...tick(3), id: "own" });
    const mixed = [{ ...tick(3), id: "own" }, tick(4)];
    const positions = await post("conflict", mixed, { "idempotency-key": "mixed" });
    expect(positions.map(seqOf)).toEqual([3, 4]);
    expect(await post("conflict", mixed, { "idempotency-key": "mixed" })).toEqual(positions);
  });

  it("[W3] P33 gives concurrent repetitions the same position", async () => {
    const body = { event: "tick", payload: 1 };
    const all = await Promise.all(
      Array.from({ length: 10 }, async () => await post("race", body, { "idempotency-key": "k" })),
    );
    expect(new Set(all.flat()).size).toBe(1);
    expect(await stat("race", "messages")).toBe(1);
  });

  const message = (fields: object): string =>
    JSON.stringify({ event: "tick", payload: 1, ...fields });
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);

  it.each([
    ["no JSON", "{", 400, "invalid_json"],
    ["no event", `{"payload":1}`, 400, "invalid_request"],
    ["no payload", `{"event":"tick"}`, 400, "invalid_request"],
    ["a bad event", message({ event: "not ok" }), 400, "bad_name"],
    ["an event of the stream's own", message({ event: "error" }), 400, "bad_name"],
    ["a bad id", message({ id: "not ok" }), 400, "bad_name"],
    ["an unknown field", message({ sender: "root" }), 400, "invalid_request"],
    ["nothing", "[]", 400, "invalid_request"],
    [
      "too many",
      JSON.stringify(Array.from({ length: 257 }, () => ({ event: "t", payload: 1 }))),
      400,
      "invalid_request",
    ],
    ["too large a payload", message({ payload: "x".repeat(65_534) }), 413, "message_too_large"],
    ["too deep a payload", message({ payload: deep(17) }), 400, "bad_payload"],
    ["bad base64", message({ payload: { $base64: "?" } }), 400, "bad_payload"],
    ["a dangerous key", `{"event":"t","payload":{"__proto__":1}}`, 400, "bad_payload"],
    ["too large a body", message({ payload: "x".repeat(4_200_000) }), 413, "body_too_large"],
  ])("[W4] refuses %s", async (_, body, status, code) => {
    expect(await send("refused/messages", body)).toEqual([status, code]);
    expect(await stat("refused", "messages")).toBe(0);
  });

  const fine = { event: "tick", payload: 1 };

  it.each([
    ["no object", 7, "invalid_request", undefined],
    ["no event", { payload: 1 }, "invalid_request", "event"],
    ["an event that is no text", { ...fine, event: 7 }, "invalid_request", "event"],
    ["an event that begins with a digit", { ...fine, event: "9bad" }, "bad_name", "event"],
    ["an event named gap", { ...fine, event: "gap" }, "bad_name", "event"],
    ["an event named end", { ...fine, event: "end" }, "bad_name", "event"],
    ["an event named error", { ...fine, event: "error" }, "bad_name", "event"],
    ["an event named open", { ...fine, event: "open" }, "bad_name", "event"],
    ["no payload", { event: "tick" }, "invalid_request", "payload"],
    ["a deep payload", { ...fine, payload: deep(17) }, "bad_payload", "payload"],
    ["a large payload", { ...fine, payload: "x".repeat(65_534) }, "message_too_large", "payload"],
    ["an id with a space", { ...fine, id: "not ok" }, "bad_name", "id"],
    ["an id of the server's", { ...fine, id: "sluice.key.x" }, "bad_name", "id"],
    ["an unknown field", { ...fine, data: 1 }, "invalid_request", "data"],
  ])("[W4][E1] says which message of a request has %s", async (_, bad, code, param) => {
    for (const [body, index] of [
      [[fine, fine, bad], 2],
      [bad, 0],
    ] as const) {
      const init = { method: "POST", body: JSON.stringify(body) };
      const problem = await (await call("helpful/messages", init)).json<Record<string, unknown>>();
      expect([problem["code"], problem["index"], problem["param"]]).toEqual([code, index, param]);
      expect(problem["detail"]).toContain(`Message ${index}`);
    }
    expect(await stat("helpful", "messages")).toBe(0);
  });

  it.each([0, 257])("[W4][E1] says how many messages a request may hold, of %i", async (count) => {
    const body = JSON.stringify(Array.from({ length: count }, () => fine));
    const response = await call("helpful/messages", { method: "POST", body });
    expect(await response.json()).toMatchObject({
      code: "invalid_request",
      detail: `A request publishes 1 to 256 messages; this array holds ${count}.`,
    });
  });

  it.each(["with space", "x".repeat(65)])("[W4] refuses the Idempotency-Key %s", async (key) => {
    const answer = send("refused/messages", message({}), { "idempotency-key": key });
    expect(await answer).toEqual([400, "invalid_request"]);
  });

  it("[W1] P90 P91 carries binary through JSON in both directions", async () => {
    const ann = await RoomMember.welcomed("binary", { member: "ann" });
    await post("binary", { event: "blob", payload: { $base64: "AAEC/w==" } });
    await until("it is delivered", () => ann.payloads.length === 1);
    expect(ann.payloads).toEqual([Uint8Array.of(0, 1, 2, 255)]);
    const { messages } = await list("binary/messages");
    expect(messages[0]?.payload).toEqual({ $base64: "AAEC/w==" });
  });
});

describe("[W5] reading a room's messages over HTTP", () => {
  it("[I3] pages through all messages, also in the middle of rows", async () => {
    const body = Array.from({ length: 95 }, (_, n) => ({ event: "tick", payload: n }));
    await post("pages", body);
    await postMany("pages", 5, 95);
    const seen: unknown[] = [];
    let path = "pages/messages?limit=7";
    for (let page = 0; page < 100; page += 1) {
      const { messages, next, done } = await list(path);
      expect(messages.length).toBeLessThanOrEqual(7);
      seen.push(...messages.map(({ payload }) => payload));
      path = `pages/messages?limit=7&after=${next}`;
      if (done) break;
    }
    expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n));
    const { messages, done } = await list(path);
    expect([messages, done]).toEqual([[], true]);
  });

  it("[W5] describes a message with position, sender, time, event, payload and id", async () => {
    const ann = await RoomMember.welcomed("listed", { member: "ann" });
    ann.publish("a1", { text: "hi" }, "chat");
    await until("it is delivered", () => ann.messages.length === 1);
    const position = `${ann.welcome.epoch}_0000000000000001`;
    expect(await list("listed/messages")).toEqual({
      room: "listed",
      messages: [
        {
          position,
          sender: "ann",
          at: ann.messages[0]?.at,
          event: "chat",
          payload: { text: "hi" },
          id: "a1",
        },
      ],
      next: position,
      done: true,
    });
  });

  it("[W5] answers an empty room with an empty page", async () => {
    expect(await list("empty/messages")).toMatchObject({ messages: [], done: true });
    const { next } = await list("empty/messages");
    await post("empty", { event: "tick", payload: 1 });
    expect((await list(`empty/messages?after=${next}`)).messages).toHaveLength(1);
  });

  it("[I4] P56 says in a page what is lost before it", async () => {
    await postMany("short:page", 100);
    const { next } = await list("short:page/messages?limit=1");
    const [epoch] = next.split("_");
    const page = await list(`short:page/messages?after=${epoch}_0000000000000003&limit=2`);
    expect(page.gap).toMatchObject({ reason: "trimmed", from: `${epoch}_0000000000000004` });
    expect(page.messages.map(({ position }) => seqOf(position))).toEqual([
      seqOf(page.gap?.to) + 1,
      seqOf(page.gap?.to) + 2,
    ]);
    const future = await list(`short:page/messages?after=${epoch}_0000000000009999`);
    expect(future).toMatchObject({ messages: [], gap: { reason: "future" }, done: true });
    const other = await list("short:page/messages?after=elsewhere_0000000000000001");
    expect(other.gap?.reason).toBe("epoch");
    expect(other.messages.at(-1)?.payload).toBe(100);
    // Without a position nothing is lost to anybody.
    expect(await list("short:page/messages")).not.toHaveProperty("gap");
  });

  it("[W5] gives lines to those only who ask for them", async () => {
    await post("weights", { event: "tick", payload: 1 });
    for (const [accept, type] of [
      ["application/x-ndjson;q=0, application/json", "application/json"],
      ["application/json;q=0.5, Application/X-NDJSON ; q=0.1", "application/x-ndjson"],
      ["*/*", "application/json"],
    ] as const) {
      const response = await call("weights/messages", { headers: { accept } });
      expect(response.headers.get("content-type")).toBe(type);
      await response.body?.cancel();
    }
  });

  it.each([
    ["ndjson", "application/json", "application/x-ndjson"],
    ["json", "application/x-ndjson", "application/json"],
  ])("[W5] [E1] ?format=%s counts more than what is accepted", async (format, accept, type) => {
    await post("formats", { event: "tick", payload: 1 });
    const response = await call(`formats/messages?format=${format}`, { headers: { accept } });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, type]);
    await response.body?.cancel();
  });

  it.each(["", "sse", "NDJSON"])("[W4] refuses the format %j", async (format) => {
    const response = await call(`formats/messages?format=${format}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "invalid_request", param: "format" });
  });

  it.each(["after=x", "after=", "after=e_1", "after=e_99999999999999999"])(
    "[W4] P18 refuses the position %s",
    async (query) => {
      for (const accept of ["application/json", "application/x-ndjson"]) {
        const response = await call(`bad/messages?${query}`, { headers: { accept } });
        expect(response.status).toBe(400);
        expect(await response.json()).toMatchObject({ code: "bad_position" });
      }
    },
  );

  it.each(["0", "-1", "1.5", "x", "1001", "0x10", "1e3", " 7"])(
    "[W4] refuses a limit of %s",
    async (limit) => {
      const response = await call(`bad/messages?limit=${limit}`);
      expect([response.status, (await response.json<{ code: string }>()).code]).toEqual([
        400,
        "invalid_request",
      ]);
    },
  );
});
