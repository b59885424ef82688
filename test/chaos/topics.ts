/** Owns the scenario of topics over a bad network: published by several, read with interruptions. */
import { expect } from "vitest";
import { ClientError, createClient, type Topic, type TopicItem } from "../../src/client/index.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { ask, dawdle, openBadNetwork, type Server } from "./scene.ts";

/** Characters of a large event: several reads of a socket. */
const LARGE = 20_000;

/** What is compared of an event. */
interface Told {
  /** Left out when its publisher gave none. */
  readonly event?: string;
  readonly data: unknown;
  readonly position: string;
}

/** Publishes and reads some topics at once. @throws when the reader's log is not the server's. */
export async function topics(server: Server, seed: number): Promise<void> {
  const random = new SeededRandom(seed * 1000);
  const names = Array.from({ length: random.pick([1, 1, 2, 3]) }, (_, n) => `chaos-${seed}-${n}`);
  await using publisher = await openBadNetwork(server, seed * 1000 + 1);
  await using reader = await openBadNetwork(server, seed * 1000 + 2);

  const heard = listen(reader.options, names, random);
  const acked = await Promise.all(
    names.map(async (name) => {
      const topic = createClient(publisher.options).topic(name);
      const count = random.between(4, 10);
      const positions: string[] = [];
      for (let n = 0; n < count; n += 1) {
        const filling = random.chance(0.1) ? "x".repeat(LARGE) : "";
        positions.push(await publish(topic, n % 2 === 0 ? "message" : "odd", { n, filling }));
      }
      await ask(server, `/v1/topics/${name}/close`, { outcome: "completed" });
      return positions;
    }),
  );

  const items = await heard;
  for (const [index, name] of names.entries()) {
    const own = items.filter((item) => "topic" in item && item.topic === name);
    const page = (await ask(server, `/v1/topics/${name}`)) as { readonly events: readonly Told[] };
    // Of several topics, a position says where all of them are.
    const strip = ({ event = "message", data, position }: Told): unknown =>
      names.length === 1 ? { event, data, position } : { event, data };
    const stored = page.events;
    expect(own.filter((item) => item.kind === "message").map(strip)).toEqual(stored.map(strip));
    expect(stored.map(({ position }) => position)).toEqual(acked[index]);
    expect(own.map(({ kind }) => kind).slice(stored.length)).toEqual(["end"]);
  }
  expect(items.filter(({ kind }) => kind === "gap" || kind === "invalid")).toEqual([]);
}

/** As often as it takes: its id makes it one event. */
async function publish(topic: Topic, event: string, data: unknown): Promise<string> {
  const id = crypto.randomUUID();
  for (;;) {
    try {
      return (await topic.publish(event, data, { id })).position;
    } catch (error) {
      if (!(error instanceof ClientError) || error.status !== undefined) throw error;
    }
  }
}

/** Reads to the end; leaves now and then and comes back, also as another client would after a reload. */
async function listen(
  options: Parameters<typeof createClient>[0],
  names: readonly string[],
  random: SeededRandom,
): Promise<readonly TopicItem[]> {
  const items: TopicItem[] = [];
  const window = random.pick([1, 3, 256]);
  let client = createClient(options);
  let topic = client.topic(names, { window });
  const ended = (): number => items.filter(({ kind }) => kind === "end").length;
  while (ended() < names.length) {
    for await (const item of topic) {
      items.push(item);
      await dawdle(random);
      if (random.chance(0.08)) break;
    }
    if (!random.chance(0.5)) continue;
    const after = topic.position;
    client.close();
    client = createClient(options);
    topic = client.topic(names, { window, ...(after === undefined ? {} : { after }) });
  }
  client.close();
  return items;
}
