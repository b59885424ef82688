import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { note } from "../support/note.ts";

const ask = (body: object, headers: Record<string, string> = {}): Promise<Response> =>
  exports.default.fetch("http://localhost/v1/chat/completions", {
    method: "POST",
    headers,
    body: JSON.stringify({
      messages: [{ role: "user", content: "Hi" }],
      stream: true,
      store: true,
      ...body,
    }),
  });

interface Described {
  readonly generation: { readonly state: string };
  readonly usage?: { readonly estimated?: boolean; readonly completion_tokens: number };
}

async function look(id: string): Promise<Described & { readonly status: number }> {
  const response = await exports.default.fetch(`http://localhost/v1/chat/completions/${id}`);
  const body: Described = await response.json();
  return { ...body, status: response.status };
}

const events = (id: string): Promise<Response> =>
  exports.default.fetch(`http://localhost/v1/chat/completions/${id}/events`);

async function readFirst(response: Response): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  return reader;
}

async function readRest(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    text += decoder.decode(next.value, { stream: true });
  }
  return text;
}

describe("[E2] a link to an answer where only this machine is served", () => {
  it("[E2] is the plain address, and does not say that it ends", async () => {
    const response = await ask({ model: "demo", stream: false });
    const { id }: { readonly id: string } = await response.json();
    const path = `http://localhost/v1/chat/completions/${id}`;
    const made = await exports.default.fetch(`${path}/links`, { method: "POST" });
    expect([made.status, await made.json()]).toEqual([201, { url: `${path}/events` }]);
  });
});

describe("[I6] an answer whose object is restarted in mid-answer", () => {
  it("[I6][L5] ends as interrupted: viewers get what was stored, and the end", async () => {
    const response = await ask({ model: "demo-endless" });
    const id = response.headers.get("sluice-generation") ?? "";
    const reader = await readFirst(response);
    expect((await look(id)).status).toBe(202);
    await abortAllDurableObjects();
    const later = await (await events(id)).text();
    expect(later).toContain('"content":"');
    expect(later).toMatch(/"code":"generation_interrupted"[^\n]*\n\n$/);
    // Who was there at the time lost nothing either.
    expect(later.endsWith(await readRest(reader))).toBe(true);
    const found = await look(id);
    expect(found.generation.state).toBe("interrupted");
    expect(found.usage?.estimated).toBe(true);
    expect(found.usage?.completion_tokens).toBeGreaterThan(0);
  });

  it("[I6] is found by its alarm when nobody asks", async () => {
    const response = await ask({ model: "demo-endless" });
    const id = response.headers.get("sluice-generation") ?? "";
    await readFirst(response);
    const stub = env.GENERATIONS.getByName(id);
    await abortAllDurableObjects();
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    const states = await runInDurableObject(stub, (_object, { storage }) =>
      storage.sql.exec("SELECT value FROM log_meta WHERE name = 'log.terminal'").toArray(),
    );
    expect(JSON.stringify(states)).toContain("interrupted");
  });
});

describe("[L4] a finished answer", () => {
  it("[I1][L4] lies in storage only, and is deleted with everything when its time is over", async () => {
    const text = await (await ask({}, { "idempotency-key": "ttl" })).text();
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
    const again = await ask({}, { "idempotency-key": "ttl" });
    const id = again.headers.get("sluice-generation") ?? "";
    expect(await again.text()).toBe(text);
    const stub = env.GENERATIONS.getByName(id);
    await evictDurableObject(stub);
    expect(await (await events(id)).text()).toBe(text);
    const alarmAt = await runInDurableObject(stub, (_object, { storage }) => storage.getAlarm());
    expect(alarmAt).toBeGreaterThan(Date.now());
    // As if a day had passed: the end is put back.
    await runInDurableObject(stub, (_object, { storage }) => {
      storage.sql.exec(
        `UPDATE log_meta SET value = json_set(value, '$.at', 1) WHERE name = 'log.terminal'`,
      );
    });
    await evictDurableObject(stub);
    await runDurableObjectAlarm(stub);
    expect((await look(id)).status).toBe(404);
    await evictDurableObject(stub);
    const left = await runInDurableObject(stub, async (_object, { storage }) => ({
      tables: storage.sql.exec("SELECT name FROM sqlite_master WHERE name LIKE 'log%'").toArray(),
      alarm: await storage.getAlarm(),
    }));
    expect(left).toEqual({ tables: [], alarm: null });
  });

  it("[L4] asking for one that never was stores nothing", async () => {
    const id = `gen_${"a".repeat(32)}`;
    expect((await look(id)).status).toBe(404);
    const tables = await runInDurableObject(env.GENERATIONS.getByName(id), (_object, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name LIKE 'log%'").toArray(),
    );
    expect(tables).toEqual([]);
  });
});

describe("[L1] rows", () => {
  it("[P2][B2] a stored answer of the demo costs far fewer rows than tokens", async () => {
    const response = await ask({ model: "demo-long" });
    const id = response.headers.get("sluice-generation") ?? "";
    const text = await response.text();
    const chunks = text.split("\n\n").length;
    const stats = await exports.default.fetch(`http://localhost/v1/chat/completions/${id}/stats`);
    const { rows, rowsWritten }: { rows: number; rowsWritten: number } = await stats.json();
    note(`${chunks} chunks, ${rows} rows, ${rowsWritten} rows written`);
    expect(rowsWritten).toBeLessThan(chunks / 10);
  });
});

describe("[L3] the index of running answers", () => {
  it("[L3] knows the newest of each chat, also after a sleep", async () => {
    const index = env.GENERATION_INDEX.getByName("subject:ann");
    const reserve = async (id: string, chat: string) => {
      const outcome = await index.reserve({ id, chat, untilMs: Date.now() + 60_000 });
      return outcome.ok ? (outcome.value ?? "ok") : outcome.code;
    };
    expect(await reserve("a", "one")).toBe("ok");
    expect(await reserve("b", "two")).toBe("ok");
    await evictDurableObject(index, { webSockets: "close" });
    // A new turn of the chat replaces the one before.
    expect(await reserve("c", "one")).toBe("a");
    expect(await index.activeIn("one")).toBe("c");
    await index.release("c");
    expect(await index.activeIn("one")).toBeUndefined();
  });
});
