import {
  abortAllDurableObjects,
  createExecutionContext,
  evictDurableObject,
  listDurableObjectIds,
  runDurableObjectAlarm,
  runInDurableObject,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect, it } from "vitest";
import { systemClock } from "../../src/stream/clock.ts";
import { makeApp } from "../support/make-app.ts";
import { OWNER, startCall } from "../support/start-call.ts";
import { until } from "../support/until.ts";

const storedIn = async (stub: DurableObjectStub): Promise<readonly unknown[]> =>
  await runInDurableObject(stub, async (_object, { storage }) => [
    ...storage.sql.exec("SELECT name FROM sqlite_master WHERE name LIKE 'log%'"),
    ...((await storage.getAlarm()) === null ? [] : ["alarm"]),
  ]);

it("[I1][L4] an object that waits for an answer can sleep, and in a minute nothing is left of it", async () => {
  const stub = env.GENERATIONS.getByName(`gen_${"5".repeat(32)}`);
  await stub.wake();
  expect(await storedIn(stub)).toEqual(["alarm"]);
  await evictDurableObject(stub);
  await stub.wake();
  expect(await storedIn(stub)).toEqual(["alarm"]);
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  expect(await storedIn(stub)).toEqual([]);
  expect(await stub.describe(null)).toMatchObject({ ok: false, code: "not_found" });
});

it("[P2][L4] an answer finds the object that was made for it after the one before, and nobody gets it twice", async () => {
  const ask = async (): Promise<string> => {
    const response = await exports.default.fetch("http://localhost/v1/chat/completions", {
      method: "POST",
      body: JSON.stringify({
        messages: [{ role: "user", content: "Hi" }],
        model: "demo-fail-before",
        store: true,
      }),
    });
    await response.body?.cancel();
    return response.headers.get("sluice-generation") ?? "";
  };
  const objectOf = (name: string): string => String(env.GENERATIONS.idFromName(name));
  const others = async (known: readonly string[]): Promise<readonly string[]> =>
    (await listDurableObjectIds(env.GENERATIONS))
      .map(String)
      .filter((object) => !known.includes(object));
  const before = await others([]);
  const first = objectOf(await ask());
  await until("an object waits", async () => (await others([...before, first])).length === 1);
  const [waiting] = await others([...before, first]);
  const both = (await Promise.all([ask(), ask()])).map(objectOf);
  expect(both).toContain(waiting);
  expect(both[0]).not.toBe(both[1]);
});

it("[P2][L4] a refused answer leaves the object that waits to the next one", async () => {
  let isFull = false;
  const QUOTAS = {
    idFromName: (name: string) => name,
    get: () => ({ open: async () => !isFull, close: async () => {} }),
  };
  const app = makeApp({ clock: systemClock, newId: () => crypto.randomUUID() });
  const ask = async (): Promise<{ readonly status: number; readonly name: string }> => {
    const context = createExecutionContext();
    const { status, headers, body } = await app.request(
      "http://localhost/v1/chat/completions",
      {
        method: "POST",
        body: JSON.stringify({
          messages: [{ role: "user", content: "Hi" }],
          model: "demo-endless",
          store: true,
          stream: true,
        }),
      },
      { ...env, QUOTAS, QUOTA_CONNECTIONS: "5" },
      context,
    );
    // Until the next one's object waits.
    await body?.cancel();
    await waitOnExecutionContext(context);
    return { status, name: headers.get("sluice-generation") ?? "" };
  };
  const objects = async (): Promise<readonly string[]> =>
    (await listDurableObjectIds(env.GENERATIONS)).map(String);
  expect((await ask()).status).toBe(200);
  const known = await objects();
  isFull = true;
  expect((await ask()).status).toBe(429);
  isFull = false;
  const { status, name } = await ask();
  expect([status, known.includes(String(env.GENERATIONS.idFromName(name)))]).toEqual([200, true]);
  const started = known.map((id) => env.GENERATIONS.get(env.GENERATIONS.idFromString(id)));
  await Promise.all(started.map(async (stub) => await stub.remove(null)));
});

it("[I6][L4] the alarm of an object that waited finds the answer that has taken it", async () => {
  const name = `gen_${"6".repeat(32)}`;
  const stub = env.GENERATIONS.getByName(name);
  await stub.wake();
  await stub.start(startCall());
  // No other was set, and none is missing when this one has come.
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  expect(await storedIn(stub)).toContain("alarm");
  expect(await stub.describe(OWNER)).toMatchObject({ ok: true, value: { end: undefined } });
  await abortAllDurableObjects();
  const again = env.GENERATIONS.getByName(name);
  expect(await runDurableObjectAlarm(again)).toBe(true);
  const found = await again.describe(OWNER);
  expect(found).toMatchObject({ ok: true, value: { end: { outcome: "interrupted" } } });
});
