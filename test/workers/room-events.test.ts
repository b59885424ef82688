import { describe, expect, it } from "vitest";
import { call, post, postMany, RoomViewer, stat } from "../support/room-http.ts";
import { RoomMember } from "../support/room-member.ts";
import { until } from "../support/until.ts";

const at = (epoch: string, seq: number): string => `${epoch}_${String(seq).padStart(16, "0")}`;

describe("[S1] a room as an event stream", () => {
  it("[S1] [S2] gives messages with position, event and data", async () => {
    const ann = await RoomMember.welcomed("stream", { member: "ann" });
    const viewer = await RoomViewer.open("stream/events");
    expect(viewer.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(viewer.response.headers.get("cache-control")).toBe("no-cache, no-transform");
    expect(viewer.retry).toBeGreaterThanOrEqual(1_000);
    await until("it is let in", async () => (await stat("stream", "live")) === 2);
    ann.publish("a1", { text: "line\nbreak" }, "chat");
    await until("it is seen", () => viewer.events.length === 1);
    const [event] = viewer.events;
    expect([event?.id, event?.event]).toEqual([at(ann.welcome.epoch, 1), "chat"]);
    expect(viewer.data[0]).toEqual({
      sender: "ann",
      at: ann.messages[0]?.at,
      id: "a1",
      payload: { text: "line\nbreak" },
    });
    await viewer.close();
  });

  it.each(["gap", "end", "error", "open"])(
    "[S1][W4] P15 shows no message as an event %j of its own",
    async (name) => {
      const room = `own-${name}`;
      const viewer = await RoomViewer.open(`${room}/events`);
      const ann = await RoomMember.welcomed(room, { member: "ann" });
      ann.publish("a1", "forged", name);
      ann.publish("a2", "said", "chat");
      await until("both are answered", () => ann.answers.length === 2);
      expect(ann.answers).toContainEqual(["a1", "bad_name"]);
      await until("the other one is seen", () => viewer.events.length > 0);
      expect(viewer.events.map(({ event }) => event)).toEqual(["chat"]);
      await viewer.close();
    },
  );

  it("[W6] [S1] is no member: it is neither present nor told who is", async () => {
    const ann = await RoomMember.welcomed("unseen", { member: "ann" });
    const viewer = await RoomViewer.open("unseen/events");
    await until("it is let in", async () => (await stat("unseen", "connections")) === 2);
    expect(await stat("unseen", "members")).toBe(1);
    ann.show("here");
    ann.publish("a1", 1);
    await until("it is seen", () => viewer.events.length === 1);
    expect(viewer.events.map(({ event }) => event)).toEqual(["chat"]);
    await viewer.close();
    await until("it is gone", async () => (await stat("unseen", "connections")) === 1);
  });

  it("[S4] [I3] goes on after Last-Event-ID, in the header or in the query", async () => {
    await postMany("resume", 5);
    const first = await RoomViewer.open("resume/events?history=5");
    await until("all is seen", () => first.events.length === 5);
    const position = first.events[1]?.id ?? "";
    await first.close();
    const byHeader = await RoomViewer.open("resume/events", { "last-event-id": position });
    const byQuery = await RoomViewer.open(`resume/events?lastEventId=${position}`);
    await until("the rest is seen", () => byHeader.events.length + byQuery.events.length === 6);
    await post("resume", { event: "tick", payload: 6 });
    await until("both are live", () => byHeader.events.length + byQuery.events.length === 8);
    expect(byHeader.payloads).toEqual([3, 4, 5, 6]);
    expect(byQuery.payloads).toEqual([3, 4, 5, 6]);
    // The header is what a browser knows; the query is what the page first asked for.
    const both = await RoomViewer.open(`resume/events?lastEventId=${position}`, {
      "last-event-id": first.events[4]?.id ?? "",
    });
    await until("it is seen", () => both.events.length === 1);
    expect(both.payloads).toEqual([6]);
    await Promise.all([byHeader, byQuery, both].map(async (viewer) => await viewer.close()));
  });

  it.each(["", "?history=0", "?history=2"])(
    "[S4] [I3] loses nothing when %j breaks before its first event",
    async (query) => {
      const room = `early${query.length}`;
      await postMany(room, 3);
      const reader = (await call(`${room}/events${query}`)).body?.getReader();
      const decoder = new TextDecoder();
      let text = "";
      while (!/^id: .*\n\n/m.test(text)) {
        text += decoder.decode((await reader?.read())?.value as Uint8Array, { stream: true });
      }
      // What a browser remembers of it, as it has dispatched nothing.
      const position = /^id: (.*)\n\n/m.exec(text)?.[1] ?? "";
      await reader?.cancel();
      await post(room, { event: "tick", payload: 4 });
      const again = await RoomViewer.open(`${room}/events${query}`, { "last-event-id": position });
      await until("what was missed is seen", () => again.payloads.at(-1) === 4);
      expect(again.payloads).toEqual(query === "?history=2" ? [2, 3, 4] : [4]);
      await again.close();
    },
  );

  it("[S4] [I4] says what is lost, with the position to go on from", async () => {
    await postMany("short:events", 100);
    const viewer = await RoomViewer.open(
      "short:events/events?lastEventId=elsewhere_0000000000000001",
    );
    await until("all is seen", () => viewer.payloads.at(-1) === 100);
    const [gap] = viewer.events;
    expect(gap?.event).toBe("gap");
    expect(viewer.data[0]).toEqual({
      reason: "epoch",
      from: expect.stringMatching(/_0{16}$/) as unknown,
      to: gap?.id,
    });
    const lost = Number(gap?.id?.split("_")[1]);
    expect(viewer.payloads.slice(1)).toEqual(
      Array.from({ length: 100 - lost }, (_, n) => lost + 1 + n),
    );
    await viewer.close();
  });

  it.each(["x", "e_1", "e%20_0000000000000001"])(
    "[S4] P18 answers the position %j with a problem",
    async (position) => {
      const byQuery = await call(`bad/events?lastEventId=${position}`);
      expect([byQuery.status, byQuery.headers.get("content-type")]).toEqual([
        400,
        "application/problem+json",
      ]);
      expect(await byQuery.json()).toMatchObject({ code: "bad_position" });
    },
  );

  it("[S4] P18 answers a bad history with a problem", async () => {
    const history = await call("bad/events?history=-1");
    expect([history.status, (await history.json<{ code: string }>()).code]).toEqual([
      400,
      "invalid_request",
    ]);
  });

  it("[S4] [I4] tells a browser with a position that nobody gave what it has lost", async () => {
    await postMany("astray", 2);
    const astray = await RoomViewer.open("astray/events", { "last-event-id": "yesterday" });
    await until("all is seen", () => astray.events.length === 3);
    expect(astray.events[0]?.event).toBe("gap");
    expect(astray.data[0]).toMatchObject({ reason: "epoch" });
    expect(astray.payloads.slice(1)).toEqual([1, 2]);
    const fresh = await RoomViewer.open("astray/events?history=1", { "last-event-id": "" });
    await until("the newest is seen", () => fresh.payloads.at(-1) === 2);
    expect(fresh.payloads).toEqual([2]);
    await Promise.all([astray.close(), fresh.close()]);
  });

  it("[I5] [B1] gets more than its window as it reads, without gap or repetition", async () => {
    const count = 1_000;
    for (let n = 0; n < count; n += 250) {
      const body = Array.from({ length: 250 }, (_, index) => ({ event: "t", payload: n + index }));
      await post("window", body);
    }
    const viewer = await RoomViewer.open(`window/events?history=${count}`);
    await until("all is seen", () => viewer.events.length >= count);
    await post("window", { event: "t", payload: count });
    await until("it is live", () => viewer.events.length > count);
    expect(viewer.payloads).toEqual(Array.from({ length: count + 1 }, (_, n) => n));
    await viewer.close();
  });

  it("[I5] [B1] costs a cursor when it is not read", async () => {
    const response = await call("unread/events");
    const reader = response.body?.getReader();
    await reader?.read();
    const first = reader?.read();
    await until("it is let in", async () => (await stat("unread", "live")) === 1);
    await post("unread", { event: "t", payload: "read" });
    expect((await first)?.done).toBe(false);
    for (let n = 0; n < 400; n += 40) {
      const body = Array.from({ length: 40 }, (_, index) => ({ event: "t", payload: n + index }));
      await post("unread", body);
    }
    expect(await stat("unread", "lagging")).toBe(1);
    let text = "";
    const decoder = new TextDecoder();
    while (!text.includes('"payload":399')) {
      text += decoder.decode((await reader?.read())?.value as Uint8Array, { stream: true });
    }
    const payloads = [...text.matchAll(/"payload":(\d+)/g)].map(([, n]) => Number(n));
    expect(payloads).toEqual(Array.from({ length: 400 }, (_, n) => n));
    await reader?.cancel();
    await until("it is gone", async () => (await stat("unread", "connections")) === 0);
  });

  it("[L5] [B3] says that it was interrupted when the room closes it", async () => {
    const room = "strict:viewer";
    const response = await call(`${room}/events`);
    const reader = response.body?.getReader();
    await reader?.read();
    const first = reader?.read();
    await until("it is let in", async () => (await stat(room, "live")) === 1);
    for (let n = 0; n < 400; n += 40) {
      const body = Array.from({ length: 40 }, (_, index) => ({ event: "t", payload: n + index }));
      await post(room, body);
    }
    await until("it is closed", async () => (await stat(room, "connections")) === 0);
    const decoder = new TextDecoder();
    let text = decoder.decode((await first)?.value as Uint8Array, { stream: true });
    for (let more = await reader?.read(); more?.done === false; more = await reader?.read()) {
      text += decoder.decode(more.value as Uint8Array, { stream: true });
    }
    const payloads = [...text.matchAll(/"payload":(\d+)/g)].map(([, n]) => Number(n));
    expect(payloads).toEqual(Array.from({ length: payloads.length }, (_, n) => n));
    expect(payloads.length).toBeLessThan(400);
    expect(text.trimEnd().split("\n\n").at(-1)).toContain("event: error\n");
    expect(text).toContain('"code":"stream_interrupted"');
  });

  it("[I7] lets go of the room when the reader leaves before anything happens", async () => {
    const viewers = await Promise.all(
      Array.from({ length: 5 }, async () => await RoomViewer.open("leaving/events")),
    );
    await until("all are let in", async () => (await stat("leaving", "connections")) === 5);
    await Promise.all(viewers.map(async (viewer) => await viewer.close()));
    await until("all are gone", async () => (await stat("leaving", "connections")) === 0);
  });
});
