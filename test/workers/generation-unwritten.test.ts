/** An answer whose record cannot be written: as if it had never been asked for. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Log } from "../../durable-objects/log/log.ts";
import { Meta } from "../../durable-objects/log/meta.ts";
import { Webhooks } from "../../durable-objects/webhook/webhooks.ts";
import { nameSlot } from "../../durable-objects/platform/slots.ts";
import { MAX_METADATA_CHARS } from "../../src/protocol/limits.ts";
import { MESSAGES as messages, OWNER, startCall } from "../support/start-call.ts";
import { until } from "../support/until.ts";

const FULL = (): never => {
  throw new Error("database or disk is full: SQLITE_FULL");
};

/** Nobody listens there. */
const RECEIVER = {
  WEBHOOK_URL: "http://127.0.0.1:1/hook",
  WEBHOOK_SECRET: `whsec_${"A".repeat(32)}`,
};

/** Writes that fail once: the first of an answer, and the last before it runs. */
const WRITES: readonly (readonly [what: string, fail: () => unknown])[] = [
  ["tables", () => vi.spyOn(Meta.prototype, "set").mockImplementationOnce(FULL)],
  ["record", () => vi.spyOn(Meta.prototype, "setAll").mockImplementationOnce(FULL)],
];

const newId = (): string => `gen_${crypto.randomUUID().replaceAll("-", "")}`;

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(WRITES)("[I6][I7] an answer whose %s cannot be written down", (_what, fail) => {
  it("[I7][L3] leaves nothing in storage, holds nothing, and ends the provider's request", async () => {
    const id = newId();
    const stub = env.GENERATIONS.getByName(id);
    const quota = env.QUOTAS.idFromName(`subject:${crypto.randomUUID()}`);
    const counter = env.QUOTAS.get(quota);
    const slot = { id: "s", pool: "generations", group: id, kind: "generation", name: id } as const;
    expect(await counter.open({ ...slot, until: null }, 1)).toBe(true);
    const aborted = vi.spyOn(AbortController.prototype, "abort");
    fail();
    const failed = await stub.start(startCall({ slots: [nameSlot(quota, "s")] }));
    expect(failed).toMatchObject({ ok: false, code: "internal" });
    expect(aborted).toHaveBeenCalled();
    // The only place there is, for another answer.
    await until("the place is free", async () => {
      return await counter.open({ ...slot, id: "t", group: "other", until: null }, 1);
    });
    const left = await runInDurableObject(stub, async (_object, { storage }) => ({
      tables: storage.sql.exec("SELECT name FROM sqlite_master WHERE name LIKE 'log%'").toArray(),
      alarm: await storage.getAlarm(),
    }));
    expect(left).toEqual({ tables: [], alarm: null });
  });

  it.each([false, true])("[L4] can be asked for again (after a sleep: %s)", async (sleeps) => {
    const id = newId();
    const stub = env.GENERATIONS.getByName(id);
    fail();
    expect((await stub.start(startCall())).ok).toBe(false);
    if (sleeps) await evictDurableObject(stub);
    expect(await stub.describe(OWNER)).toMatchObject({ ok: false, code: "not_found" });
    expect(await stub.start(startCall())).toMatchObject({ ok: true, value: { isNew: true } });
    await stub.cancel(OWNER);
  });

  it("[L4] is no answer of its chat, and the one before it is stopped all the same", async () => {
    const [before, after, chat] = [newId(), newId(), crypto.randomUUID()];
    const index = env.GENERATION_INDEX.getByName(OWNER);
    await env.GENERATIONS.getByName(before).start(startCall({ chat }));
    expect(await index.activeIn(chat)).toBe(before);
    fail();
    await env.GENERATIONS.getByName(after).start(startCall({ chat }));
    await until("the chat has no answer", async () => (await index.activeIn(chat)) === undefined);
    await until("the one before has ended", async () => {
      const found = await env.GENERATIONS.getByName(before).describe(OWNER);
      return found.ok && found.value.end?.outcome === "stopped";
    });
  });

  it("[L5][E1] is a typed error to who asked, and there for who asks again with the same key", async () => {
    const key = crypto.randomUUID();
    const ask = async (): Promise<Response> =>
      await exports.default.fetch("http://localhost/v1/chat/completions", {
        method: "POST",
        headers: { "idempotency-key": key },
        body: JSON.stringify({ messages, model: "demo", stream: true, store: true }),
      });
    fail();
    const refused = await ask();
    expect([refused.status, await refused.json()]).toMatchObject([500, { code: "internal" }]);
    const answer = await ask();
    expect(answer.status).toBe(200);
    expect((await answer.text()).endsWith("data: [DONE]\n\n")).toBe(true);
  });
});

describe("[I6][L5] an answer whose end cannot be written down", () => {
  it("[I6][I7] asks its provider no longer, is ended by the object's next alarm, and holds nothing then", async () => {
    const id = newId();
    const stub = env.GENERATIONS.getByName(id);
    const quota = env.QUOTAS.idFromName(`subject:${crypto.randomUUID()}`);
    const counter = env.QUOTAS.get(quota);
    const slot = { id: "s", pool: "generations", group: id, kind: "generation", name: id } as const;
    await counter.open({ ...slot, until: null }, 1);
    await stub.start(startCall({ slots: [nameSlot(quota, "s")] }));
    vi.spyOn(Log.prototype, "close").mockImplementationOnce(FULL);
    const aborted = vi.spyOn(AbortController.prototype, "abort");
    expect(await stub.cancel(OWNER)).toMatchObject({ ok: true, value: { end: undefined } });
    expect(aborted).toHaveBeenCalled();
    expect(await stub.stats(OWNER)).toMatchObject({ ok: true, value: { running: 0 } });
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    const found = await stub.describe(OWNER);
    expect(found).toMatchObject({ ok: true, value: { end: { outcome: "interrupted" } } });
    await until("the place is free", async () => {
      return await counter.open({ ...slot, id: "t", group: "other", until: null }, 1);
    });
  });

  it("[I6][E2] is ended, and the operator told of it once, whichever of the two could not be written", async () => {
    Object.assign(env, RECEIVER);
    try {
      for (const fail of [
        () => vi.spyOn(Webhooks.prototype, "tell").mockImplementationOnce(FULL),
        () => vi.spyOn(Log.prototype, "close").mockImplementationOnce(FULL),
      ]) {
        const stub = env.GENERATIONS.getByName(newId());
        await stub.start(startCall());
        fail();
        expect(await stub.cancel(OWNER)).toMatchObject({ ok: true, value: { end: undefined } });
        expect(await runDurableObjectAlarm(stub)).toBe(true);
        const found = await stub.describe(OWNER);
        expect(found).toMatchObject({ ok: true, value: { end: { outcome: "interrupted" } } });
        const told = await runInDurableObject(stub, (_object, { storage }) =>
          storage.sql.exec<{ body: string }>("SELECT body FROM webhook_outbox").toArray(),
        );
        expect(told.map(({ body }) => JSON.parse(body) as unknown)).toMatchObject([
          { type: "generation.ended", data: { outcome: "interrupted" } },
        ]);
      }
    } finally {
      Object.assign(env, { WEBHOOK_URL: "", WEBHOOK_SECRET: "" });
    }
  });

  it.each(["cancel", "remove"] as const)(
    "[I6][I7] is ended by the next who wants that, and not an alarm later (%s)",
    async (call) => {
      const id = newId();
      const stub = env.GENERATIONS.getByName(id);
      const quota = env.QUOTAS.idFromName(`subject:${crypto.randomUUID()}`);
      const counter = env.QUOTAS.get(quota);
      const place = { pool: "generations", kind: "generation", name: id, until: null } as const;
      await counter.open({ ...place, id: "s", group: id }, 1);
      await stub.start(startCall({ slots: [nameSlot(quota, "s")] }));
      vi.spyOn(Log.prototype, "close").mockImplementationOnce(FULL);
      expect(await stub.cancel(OWNER)).toMatchObject({ ok: true, value: { end: undefined } });
      const told = vi.spyOn(console, "log");
      expect((await stub[call](OWNER)).ok).toBe(true);
      expect(String(told.mock.calls)).toContain('"sluice.outcome":"interrupted"');
      await until("the place is free", async () => {
        return await counter.open({ ...place, id: "t", group: "other" }, 1);
      });
    },
  );
});

describe("[L5] labels that would not fit into an answer's record", () => {
  it("[L5][I5] are refused before a provider is asked, unless they are not kept here", async () => {
    const ask = async (store: boolean): Promise<Response> =>
      await exports.default.fetch("http://localhost/v1/chat/completions", {
        method: "POST",
        body: JSON.stringify({
          messages,
          model: "demo-fail-before",
          store,
          metadata: { label: "x".repeat(MAX_METADATA_CHARS) },
        }),
      });
    const refused = await ask(true);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ code: "invalid_request", param: "metadata" });
    expect((await ask(false)).status).toBe(502);
  });
});
