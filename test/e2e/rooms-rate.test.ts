/** The rate of a member: one account, whichever door it speaks through. */
import { expect, test } from "vitest";
import { startWorker } from "../support/start-worker.ts";
import { mint, SECRET } from "../support/tokens.ts";
import { TokenSocket } from "../support/token-socket.ts";
import { until } from "../support/until.ts";

const ROOM_CLASSES = JSON.stringify({
  calm: { messagesPerSecond: 1 },
  five: { messagesPerSecond: 5 },
});
const can = { "rooms/**": ["read", "publish", "history"] };

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly detail?: string;
  readonly positions?: readonly string[];
  readonly retryAfter: string | null;
}

test("[W4][B1][E2] a member's requests and sockets share one rate, and a backend has none", async () => {
  await using worker = await startWorker({ AUTH_SECRET: SECRET, ROOM_CLASSES });
  const [ann, boss] = [await mint(can, { sub: "ann" }), await mint({ "rooms/**": ["admin"] })];
  const post = async (
    room: string,
    token: string,
    messages: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(`${worker.origin}/v1/rooms/${room}/messages`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, ...headers },
      body: JSON.stringify(messages),
    });
    const retryAfter = response.headers.get("retry-after");
    return { ...(await response.json<object>()), status: response.status, retryAfter };
  };
  const ticks = (count: number) =>
    Array.from({ length: count }, () => ({ event: "t", payload: 1 }));

  // A request of more than a member may ever say at once is refused for good, and stores nothing.
  for (let n = 0; n < 3; n += 1) {
    const answer = await post("five:flood", ann, ticks(256));
    expect([answer.status, answer.code, answer.retryAfter]).toEqual([400, "invalid_request", null]);
    expect(answer.detail).toContain("20 messages");
  }
  // So is each that comes too soon, all of it.
  const taken = await Promise.all(
    Array.from({ length: 30 }, () => post("five:flood", ann, ticks(5))),
  );
  const stored = taken.filter(({ status }) => status === 201).length;
  expect(stored).toBeGreaterThanOrEqual(4);
  // Five a second come back while the requests are on their way.
  expect(stored).toBeLessThan(12);
  for (const { status, code, retryAfter } of taken.filter(({ status }) => status !== 201)) {
    expect([status, code, retryAfter]).toEqual([429, "rate_limited", "1"]);
  }
  const page = await fetch(`${worker.origin}/v1/rooms/five:flood/messages?limit=1000`, {
    headers: { authorization: `Bearer ${ann}` },
  });
  expect((await page.json<{ messages: unknown[] }>()).messages).toHaveLength(5 * stored);

  // Its sockets spend from the same account, and a repetition costs nothing.
  const url = `${worker.origin}/v1/rooms/calm:both`;
  using socket = await TokenSocket.join(url, ann);
  const key = { "idempotency-key": "k" };
  const first = await post("calm:both", ann, ticks(4), key);
  expect(first.status).toBe(201);
  socket.publish("s1", "too soon");
  await until("an answer", () => socket.errors.length > 0);
  expect(socket.errors).toEqual(["rate_limited"]);
  expect(await post("calm:both", ann, ticks(4), key)).toEqual(first);
  for (let n = 0; n < 3; n += 1)
    expect((await post("calm:both", boss, ticks(256))).status).toBe(201);
});
