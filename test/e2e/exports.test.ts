/** Exports that nobody reads: each is a connection of its caller, until it is over. */
import { sign } from "hono/jwt";
import { expect, test } from "vitest";
import { openRawClient, type RawClient } from "../support/raw-client.ts";
import { startWorker } from "../support/start-worker.ts";
import { EVERYTHING } from "../support/tokens.ts";
import { until } from "../support/until.ts";

const AUTH_SECRET = "a-secret-of-more-than-thirty-two-characters";
const CONNECTIONS = 2;

test.each([
  ["/v1/topics/large", "/v1/topics/large", "data"],
  ["/v1/rooms/large/messages", "/v1/rooms/large/messages", "payload"],
])(
  "[E2][B3] stalled exports of %s take the caller's connections and no more",
  async (path, to, field) => {
    await using worker = await startWorker({
      AUTH_SECRET,
      DEFAULT_ACCESS: JSON.stringify({ can: EVERYTHING }),
      QUOTA_CONNECTIONS: String(CONNECTIONS),
    });
    const iat = Math.floor(Date.now() / 1_000);
    const token = await sign({ sub: "ann", iat, exp: iat + 600 }, AUTH_SECRET, "HS256");
    const authorization = `Bearer ${token}`;
    // More than sockets take by themselves.
    const message = { event: "large", [field]: "x".repeat(30_000) };
    const body = JSON.stringify(Array.from({ length: 20 }, () => message));
    for (let n = 0; n < 30; n += 1) {
      const headers = { authorization };
      const { status } = await fetch(worker.origin + to, { method: "POST", body, headers });
      expect(status).toBe(201);
    }
    const request =
      `GET ${path}?format=ndjson HTTP/1.1\r\nhost: localhost\r\n` +
      `authorization: ${authorization}\r\n\r\n`;
    const open = async (): Promise<RawClient> => {
      const client = await openRawClient(worker.port, request);
      // The head and no more.
      await until("the head", () => client.socket.readableLength > 0);
      client.take(400);
      return client;
    };
    const statusOf = (client: RawClient): number => Number(client.received().slice(9, 12));
    const held = [await open(), await open()];
    expect(held.map(statusOf)).toEqual([200, 200]);
    using refused = await open();
    expect(statusOf(refused)).toBe(429);
    refused.flow();
    await until("the reason", () => refused.received().includes('"quota":"subject-connections"'));
    // Read to its end, and left: either gives its place back.
    const [read, left] = held;
    read?.flow();
    left?.socket.destroy();
    await until("both places to be free", async () => {
      using first = await open();
      using second = await open();
      return statusOf(first) === 200 && statusOf(second) === 200;
    });
    read?.socket.destroy();
  },
);
