import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { TopicHttp } from "../support/topic-http.ts";
import { until } from "../support/until.ts";

const EVENTS = 120;
const READERS = 24;

describe("[I3] publishing, subscribing and sleeping at once", () => {
  it("[I3] [S3] every reader gets every event once and in order, whenever it came", async () => {
    const topic = new TopicHttp("i3-race");
    let published = 0;
    const publishing = (async () => {
      for (let n = 0; n < EVENTS; n += 3) {
        await Promise.all([
          topic.publish({ data: n }),
          topic.publish([{ data: n + 1 }, { data: n + 2 }]),
        ]);
        published = n + 3;
        if (n % 30 === 0) await evictDurableObject(topic.stub);
      }
    })();
    const reading = Array.from({ length: READERS }, async (_, index) => {
      // Each comes when some more events are there, and some break off and come back.
      await until("it is time", () => published >= index * 4);
      let reader = await topic.events();
      const data = await reader.take(4 + index);
      const last = await reader.next();
      data.push(last?.data ?? "");
      if (index % 2 === 1) {
        await reader.close();
        // What was sent and not taken is sent again.
        reader = await topic.events("", last?.id);
      }
      data.push(...(await reader.take(EVENTS - data.length)));
      await reader.close();
      return data;
    });
    await publishing;
    const order = ((await topic.page("?limit=1000")) as { events: readonly { data: number }[] })
      .events;
    const expected = order.map(({ data }) => String(data));
    expect(expected).toHaveLength(EVENTS);
    for (const data of await Promise.all(reading)) expect(data).toEqual(expected);
  });
});
