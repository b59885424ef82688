/** Names in rooms: they are the token's, whatever the client says and whichever door it takes. */
import { expect, test } from "vitest";
import { startWorker } from "../support/start-worker.ts";
import { mint, now, SECRET } from "../support/tokens.ts";
import { TokenSocket } from "../support/token-socket.ts";
import { until } from "../support/until.ts";
import { sign } from "hono/jwt";

const can = { "rooms/lobby": ["read", "publish"] };

test("[I8][W1] nobody speaks under another's name, and only a backend without one", async () => {
  await using worker = await startWorker({ AUTH_SECRET: SECRET });
  const url = `${worker.origin}/v1/rooms/lobby`;
  using boss = await TokenSocket.join(url, await mint(can, { sub: "boss" }));
  using liar = await TokenSocket.join(url, await mint(can, { sub: "eve" }), { member: "boss" });
  await until("the close", () => liar.closed !== undefined);
  expect([liar.errors, liar.closed]).toEqual([["forbidden"], 4403]);
  const named = {
    sub: "google-oauth2|123",
    iat: now(),
    exp: now() + 60,
    sluice: { can, member: "carol" },
  };
  using carol = await TokenSocket.join(url, await sign(named, SECRET), { member: "carol" });
  expect(carol.of("welcome")[0]?.member).toBe("carol");
  using nameless = await TokenSocket.join(url, await mint(can, { sub: "google-oauth2|123" }));
  expect(nameless.frames).toEqual([]);
  const say = async (token: string, payload: string): Promise<number> => {
    const response = await fetch(`${url}/messages`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ event: "chat", payload }),
    });
    await response.body?.cancel();
    return response.status;
  };
  expect(await say(await mint(can, { sub: "eve" }), "by eve")).toBe(201);
  expect(await say(await sign(named, SECRET), "by carol")).toBe(201);
  expect(await say(await mint({ "rooms/**": ["admin"] }, { sub: "server" }), "by a backend")).toBe(
    201,
  );
  expect(await say(await mint(can, { sub: "google-oauth2|123" }), "by whom")).toBe(400);
  boss.publish("m1", "by boss");
  await until("all messages", () => boss.payloads.length === 4);
  const said = boss.of("deliver").flatMap(({ entries }) => entries);
  expect(new Map(said.map(({ payload, sender }) => [payload, sender]))).toEqual(
    new Map([
      ["by eve", "eve"],
      ["by carol", "carol"],
      ["by a backend", ""],
      ["by boss", "boss"],
    ]),
  );
});
