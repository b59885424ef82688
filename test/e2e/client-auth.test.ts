/** The client before a Worker that asks for tokens. */
import { sign } from "hono/jwt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient } from "../../src/client/index.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";

const SECRET = "a secret that is long enough for HS256";

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({ AUTH_SECRET: SECRET });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

const makeToken = async (secret: string): Promise<string> =>
  await sign({ sub: "ann", exp: Math.floor(Date.now() / 1000) + 600 }, secret, "HS256");

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
    const tokens = [await makeToken("another secret that is as long"), await makeToken(SECRET)];
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
      token: await makeToken("not the right secret at all"),
    });
    await expect(uses[name]?.(client)).rejects.toMatchObject({ code: "unauthorized" });
    client.close();
  },
);
