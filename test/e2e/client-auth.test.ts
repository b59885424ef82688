/** The client before a Worker that asks for tokens. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient } from "../../src/client/index.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { claimsOf, EVERYTHING, mint, now, SECRET, signHmac } from "../support/tokens.ts";
import { until } from "../support/until.ts";

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({ AUTH_SECRET: SECRET });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

/** A token that only its signature gives away. */
const forge = async (): Promise<string> =>
  await signHmac(
    { alg: "HS256" },
    claimsOf(EVERYTHING),
    "not the secret, but as long as it has to be",
  );

/** Each surface, used until it has worked. */
const uses: Readonly<Record<string, (client: Client) => Promise<unknown>>> = {
  "a topic": async (client) => {
    const topic = client.topic("news", { from: "now" });
    const { done } = await topic[Symbol.asyncIterator]().next();
    return done;
  },
  "publishing to a topic": async (client) => await client.topic("news").publish("n", 1),
  "a room": async (client) => {
    await client.room("lobby").join();
  },
  "an answer": async (client) => {
    const { state, error } = await client
      .chat({ messages: [{ role: "user", content: "?" }] })
      .whole();
    if (state !== "completed") throw Object.assign(new Error(state), error);
  },
};

test.each(["publishing to a topic", "a room", "an answer"])(
  "[E2] %s gets a new token when the server refuses the one it has",
  async (name) => {
    const tokens = [await forge(), await mint(EVERYTHING)];
    let calls = 0;
    const client = createClient({
      url: worker.origin,
      token: () => {
        calls += 1;
        return tokens[calls - 1];
      },
    });
    await uses[name]?.(client);
    expect(calls).toBe(2);
    client.close();
  },
);

test.each(Object.keys(uses))(
  "[E2] %s ends when a token is refused that cannot be renewed",
  async (name) => {
    const client = createClient({
      url: worker.origin,
      token: await forge(),
    });
    await expect(uses[name]?.(client)).rejects.toMatchObject({ code: "unauthorized" });
    client.close();
  },
);

test("[I8][P94] a room's token is replaced before it ends, without losing the connection", async () => {
  let calls = 0;
  const client = createClient({
    url: worker.origin,
    token: async () => {
      calls += 1;
      return await mint(EVERYTHING, { exp: now() + 12 });
    },
  });
  const room = client.room("renewed");
  await room.join();
  const states: string[] = [];
  room.state.onChange(() => states.push(room.state.get().kind));
  await until("two more tokens", () => calls === 3);
  await room.publish("chat", 1);
  expect(states).toEqual([]);
  client.close();
});
