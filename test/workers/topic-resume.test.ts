import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { TopicHttp } from "../support/topic-http.ts";

describe("[S4] coming back to a topic", () => {
  it("[S4] [I3] goes on after the last event, by header and by query", async () => {
    const topic = new TopicHttp("s4-resume");
    const { positions } = await topic.publish([{ data: 1 }, { data: 2 }, { data: 3 }]);
    for (const reader of [
      await topic.events("", positions[0]),
      await topic.events(`?lastEventId=${positions[0]}`),
      // A browser repeats the address it was given, and sends the header besides.
      await topic.events(`?from=now`, positions[0]),
    ]) {
      expect(await reader.take(2)).toEqual(["2", "3"]);
      await reader.close();
    }
  });

  it("[S4] begins where it is asked to: start, now, or so many newest", async () => {
    const topic = new TopicHttp("s4-from");
    await topic.publish([{ data: 1 }, { data: 2 }, { data: 3 }]);
    const [start, newest, now] = await Promise.all([
      topic.events(),
      topic.events("?from=2"),
      topic.events("?from=now"),
    ]);
    expect(await start.take(3)).toEqual(["1", "2", "3"]);
    expect(await newest.take(2)).toEqual(["2", "3"]);
    // Two reads: the opening, and the position from which on it is live.
    await now.read();
    await now.read();
    await topic.publish({ data: 4 });
    expect(await now.take(1)).toEqual(["4"]);
    await Promise.all([start.close(), newest.close(), now.close()]);
  });

  it("[S4] loses nothing to a reader whose connection breaks before its first event", async () => {
    const topic = new TopicHttp("s4-early");
    await topic.publish({ data: "old" });
    const reader = await topic.events("?from=now");
    await reader.read();
    await reader.read();
    const { lastEventId } = reader;
    await reader.close();
    await topic.publish({ data: "missed" });
    const again = await topic.events("?from=now", lastEventId);
    expect(await again.take(1)).toEqual(['"missed"']);
    await again.close();
  });

  it("[I4] says what was trimmed, and goes on after it", async () => {
    const topic = new TopicHttp("i4-trimmed");
    await topic.create({ retention: { messages: 10 } });
    const { position: first } = await topic.publish({ data: 0 });
    for (let round = 1; round <= 200; round += 1) await topic.publish({ data: round });
    const reader = await topic.events("", first);
    const gap = await reader.next();
    expect(gap?.event).toBe("gap");
    const { reason, to } = JSON.parse(gap?.data ?? "") as { reason: string; to: string };
    expect(reason).toBe("trimmed");
    expect(gap?.id).toBe(to);
    const kept = await reader.take(1);
    expect(Number(kept[0])).toBe(Number(to.slice(-16)));
    // Who begins at the start was promised no more than what is kept.
    const fresh = await topic.events();
    expect(await fresh.take(1)).toEqual(kept);
    await Promise.all([reader.close(), fresh.close()]);
  });

  it("[I4] [I6] tells a reader that its topic was deleted, and that a new one began", async () => {
    const topic = new TopicHttp("i4-epoch");
    const { position } = await topic.publish({ data: "of the first life" });
    const reader = await topic.events();
    await reader.take(1);
    expect((await topic.delete()).status).toBe(204);
    const [failure] = await reader.rest();
    expect(failure?.event).toBe("error");
    expect(JSON.parse(failure?.data ?? "")).toMatchObject({ code: "stream_interrupted" });
    const waiting = await topic.events("", position);
    expect(await waiting.next()).toMatchObject({ event: "gap" });
    await topic.publish({ data: "of the second" });
    expect(await waiting.take(1)).toEqual(['"of the second"']);
    const late = await topic.events("", position);
    expect(JSON.parse((await late.next())?.data ?? "")).toMatchObject({ reason: "epoch" });
    expect(await late.take(1)).toEqual(['"of the second"']);
    await Promise.all([waiting.close(), late.close()]);
    expect((await topic.delete()).status).toBe(204);
    expect((await topic.delete()).status).toBe(404);
  });

  it("[I4] refuses a position that no server wrote", async () => {
    const response = await new TopicHttp("i4-bad").subscribe("?lastEventId=yesterday");
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "bad_position" });
  });

  it("[I4] [S4] tells a browser with such a position what it has lost, and goes on", async () => {
    const topic = new TopicHttp("i4-astray");
    await topic.publish({ data: 1 });
    const reader = await topic.events("?from=now", "yesterday");
    const gap = await reader.next();
    const event = await reader.next();
    expect([gap?.event, event?.event]).toEqual(["gap", undefined]);
    expect(JSON.parse(gap?.data ?? "")).toMatchObject({ reason: "epoch" });
    await reader.close();
  });

  it.each([
    ["yesterday", "epoch", 3, []],
    ["yesterday", "epoch", 200, []],
    ["elsewhere_0000000000000007", "epoch", 3, []],
    ["future", "future", 3, ["now"]],
  ])(
    "[I4] [S4] the gap of who comes from %s begins before the first event, and ends before what follows",
    async (id, reason, count, published) => {
      const topic = new TopicHttp(`i4-ends-${id}-${count}`);
      await topic.create({ retention: { messages: 10 } });
      let position = "";
      for (let n = 0; n < count; n += 1) ({ position } = await topic.publish({ data: n }));
      const at = (seq: number): string =>
        position.replace(/\d{16}$/, String(seq).padStart(16, "0"));
      const reader = await topic.events("", id === "future" ? at(count + 7) : id);
      const gap = await reader.next();
      for (const data of published) await topic.publish({ data });
      const first = await reader.next();
      const seq = Number(first?.id?.slice(-16));
      expect(JSON.parse(gap?.data ?? "")).toEqual({ reason, from: at(0), to: at(seq - 1) });
      // Nothing of a topic that has all of its events is lost.
      if (reason === "epoch" && count === 3) expect(seq).toBe(1);
      expect(gap?.id).toBe(at(seq - 1));
      await reader.close();
    },
  );
});

describe("[I6] the end of a topic", () => {
  it("[I6] [S5] is told once, with its data, and then a browser is told to stay away", async () => {
    const topic = new TopicHttp("i6-end");
    const { position } = await topic.publish({ data: "working" });
    const live = await topic.events();
    await live.take(1);
    const closed = await topic.close({ outcome: "failed", data: { reason: "no disk" } });
    expect(await closed.json()).toMatchObject({ outcome: "failed", data: { reason: "no disk" } });
    const [end, ...nothing] = await live.rest();
    expect(end).toMatchObject({ event: "end" });
    expect(JSON.parse(end?.data ?? "")).toEqual({ outcome: "failed", data: { reason: "no disk" } });
    expect(nothing).toEqual([]);
    expect((await topic.subscribe("", end?.id)).status).toBe(204);

    await evictDurableObject(topic.stub);
    // Who has the last event and not the end is told the end; who comes late gets everything.
    const resumed = await topic.events("", position);
    expect(await resumed.rest()).toEqual([end]);
    const late = await topic.events();
    expect((await late.rest()).map(({ event }) => event)).toEqual([undefined, "end"]);
    expect((await topic.subscribe("", end?.id)).status).toBe(204);
  });

  it("[I6] keeps the end it has, and takes nothing more", async () => {
    const topic = new TopicHttp("i6-twice");
    await topic.publish({ data: 1, id: "one" });
    await topic.close({ outcome: "stopped" });
    const again = await topic.close({ outcome: "completed", data: 1 });
    expect(await again.json()).toMatchObject({ outcome: "stopped" });
    const refused = await topic.post('{"data": 2}');
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({ code: "topic_closed" });
    // A publisher that did not hear of its success is told now.
    expect((await topic.publish({ data: 1, id: "one" })).positions).toHaveLength(1);
    expect((await topic.stats())["events"]).toBe(1);
  });

  it("[I6] an empty topic ends too", async () => {
    const topic = new TopicHttp("i6-empty");
    expect((await topic.close()).status).toBe(404);
    await topic.create();
    const reader = await topic.events();
    await reader.read();
    await topic.close();
    const [end] = await reader.rest();
    expect(end).toMatchObject({ event: "end", data: '{"outcome":"completed"}' });
    expect((await topic.subscribe("", end?.id)).status).toBe(204);
  });
});
