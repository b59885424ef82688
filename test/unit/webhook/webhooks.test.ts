import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readWebhookSettings } from "../../../durable-objects/webhook/settings.ts";
import { type WebhookContext, Webhooks } from "../../../durable-objects/webhook/webhooks.ts";
import { noteOccupancy } from "../../../durable-objects/room/occupancy.ts";
import { toSluiceError } from "../../../src/protocol/errors.ts";
import {
  MAX_WEBHOOK_QUEUE,
  WEBHOOK_FIRST_PAUSE_MS,
  WEBHOOK_MAX_AGE_MS,
  WEBHOOK_MAX_PAUSE_MS,
  WEBHOOK_TIMEOUT_MS,
} from "../../../src/protocol/limits.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { MemorySql } from "../../support/memory-sql.ts";
import { until } from "../../support/until.ts";

const KEY = new Uint8Array(24).fill(7);
const SECRET = `whsec_${btoa(String.fromCharCode(...KEY))}`;
const ENV = { WEBHOOK_URL: "https://receiver.example/hook", WEBHOOK_SECRET: SECRET };

type Answer = (address: string, init: RequestInit) => Promise<Response> | Response;

function openWebhooks(answer: Answer, env: Readonly<Record<string, string>> = ENV) {
  let settings: WebhookContext["settings"] = readWebhookSettings(env);
  const clock = new FakeClock();
  const sql = new MemorySql();
  const sent: { address: string; headers: Headers; body: string }[] = [];
  let dropped = 0;
  let ids = 0;
  const open = (): Webhooks =>
    new Webhooks({
      sql,
      clock,
      random: () => 0.5,
      newId: () => `id-${(ids += 1)}`,
      fetch: async (address, init) => {
        sent.push({
          address,
          headers: new Headers(init.headers),
          body: typeof init.body === "string" ? init.body : "",
        });
        return await answer(address, init);
      },
      settings,
      dropped: (count) => (dropped += count),
    });
  const reopen = (changed = settings): Webhooks => {
    settings = changed;
    return open();
  };
  return { clock, sql, sent, webhooks: open(), reopen, dropped: () => dropped };
}

/** What an attempt was refused with. */
function refusalOf(attempt: () => unknown): string {
  try {
    attempt();
    return "";
  } catch (thrown) {
    const { code, detail } = toSluiceError(thrown);
    return `${code} ${detail}`;
  }
}

const ok: Answer = () => new Response(null, { status: 204 });
const failing: Answer = () => new Response("no", { status: 500 });

describe("[E2] webhooks", () => {
  it("[E2] are signed so that anybody with the secret can check them", async () => {
    const { webhooks, sent } = openWebhooks(ok, { ...ENV, WEBHOOK_SECRET: `${SECRET} ${SECRET}` });
    webhooks.tell("topic.closed", { topic: "news" });
    await webhooks.deliver();
    const [{ address, headers, body } = { address: "", headers: new Headers(), body: "" }] = sent;
    expect(address).toBe(ENV.WEBHOOK_URL);
    expect(JSON.parse(body)).toEqual({
      type: "topic.closed",
      timestamp: "2026-01-01T00:00:00.000Z",
      data: { topic: "news" },
    });
    const id = headers.get("webhook-id") ?? "";
    const content = `${id}.${headers.get("webhook-timestamp")}.${body}`;
    const signature = `v1,${createHmac("sha256", KEY).update(content).digest("base64")}`;
    expect(headers.get("webhook-signature")).toBe(`${signature} ${signature}`);
    expect(headers.get("webhook-timestamp")).toBe(String(Date.UTC(2026, 0, 1) / 1000));
    expect(webhooks.dueAt).toBeUndefined();
  });

  it("[E2] come again under the same id, twice as late each time, also after a restart", async () => {
    const { webhooks, reopen, sent, clock } = openWebhooks(failing);
    webhooks.tell("room.occupied", { room: "lobby" });
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 14; attempt += 1) {
      const again = reopen();
      await again.deliver();
      const pause = (again.dueAt ?? 0) - clock.now();
      pauses.push(pause);
      await clock.advance(pause);
    }
    expect(new Set(sent.map(({ headers }) => headers.get("webhook-id"))).size).toBe(1);
    expect(new Set(sent.map(({ headers }) => headers.get("webhook-timestamp"))).size).toBe(14);
    expect(pauses.slice(0, 3)).toEqual([3_750, 7_500, 15_000]);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(WEBHOOK_MAX_PAUSE_MS);
    expect(pauses[0]).toBeGreaterThanOrEqual(WEBHOOK_FIRST_PAUSE_MS / 2);
  });

  it("[E2] keep their order, and wait when one is refused", async () => {
    let isUp = false;
    const { webhooks, sent, clock } = openWebhooks(() => (isUp ? ok : failing)("", {}));
    for (const room of ["a", "b", "c"]) webhooks.tell("room.vacated", { room });
    await webhooks.deliver();
    await webhooks.deliver();
    expect(sent).toHaveLength(1);
    isUp = true;
    await clock.advance(WEBHOOK_FIRST_PAUSE_MS);
    await webhooks.deliver();
    const rooms = sent.map(
      ({ body }) => (JSON.parse(body) as { data: { room: string } }).data.room,
    );
    expect(rooms).toEqual(["a", "a", "b", "c"]);
  });

  it("[E2] give a receiver that never answers a limited time, and leave no timer", async () => {
    const { webhooks, clock, sent } = openWebhooks(
      (_address, { signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => {
            reject(new Error("aborted"));
          });
        }),
    );
    webhooks.tell("topic.closed", { topic: "news" });
    const delivering = webhooks.deliver();
    await until("the attempt", () => sent.length === 1);
    await clock.advance(WEBHOOK_TIMEOUT_MS);
    await delivering;
    expect(webhooks.dueAt).toBeGreaterThan(clock.now());
    expect(clock.armed).toBe(0);
  });

  it("[E2] follow no redirect, and wait as long as the receiver asks", async () => {
    const redirects: (string | undefined)[] = [];
    const { webhooks, clock } = openWebhooks((_address, { redirect }) => {
      redirects.push(redirect);
      const headers = { location: "https://other.example", "retry-after": "600" };
      return new Response(null, { status: 302, headers });
    });
    webhooks.tell("topic.closed", { topic: "news" });
    await webhooks.deliver();
    expect(redirects).toEqual(["manual"]);
    expect(webhooks.dueAt).toBeGreaterThanOrEqual(clock.now() + 600_000);
  });

  it("[E2] are bounded in number and age, and give up what a receiver never wants", async () => {
    const { webhooks, sql, clock, dropped } = openWebhooks(failing);
    for (let n = 0; n < MAX_WEBHOOK_QUEUE + 5; n += 1) webhooks.tell("room.occupied", { n });
    expect([webhooks.waiting.length, dropped()]).toEqual([MAX_WEBHOOK_QUEUE, 5]);
    await clock.advance(WEBHOOK_MAX_AGE_MS);
    await webhooks.deliver();
    expect([webhooks.dueAt, dropped()]).toEqual([undefined, MAX_WEBHOOK_QUEUE + 5]);
    expect(sql.openCursors).toBe(0);
    const gone = openWebhooks(() => new Response(null, { status: 410 }));
    gone.webhooks.tell("topic.closed", {});
    await gone.webhooks.deliver();
    expect([gone.webhooks.dueAt, gone.dropped()]).toEqual([undefined, 1]);
  });

  it("[E2] cost nothing where nobody is told", () => {
    const { webhooks, sql } = openWebhooks(ok, {});
    const before = sql.statements;
    webhooks.tell("topic.closed", {});
    expect([webhooks.dueAt, webhooks.waiting]).toEqual([undefined, []]);
    expect([sql.statements - before, sql.rowsWritten]).toEqual([0, 0]);
    const some = openWebhooks(ok, { ...ENV, WEBHOOK_EVENTS: "room.vacated" });
    some.webhooks.tell("topic.closed", {});
    expect(some.webhooks.dueAt).toBeUndefined();
  });

  it("[E2] wait while the configuration is refused, and are lost by none", async () => {
    const { clock, sent, webhooks, reopen, dropped } = openWebhooks(() => new Response());
    webhooks.tell("topic.closed", { topic: "t" });
    const refused = reopen("refused");
    expect(refused.wants("topic.closed")).toBe(false);
    await refused.deliver();
    expect([sent.length, dropped()]).toEqual([0, 0]);
    // Later, or its alarm would come again and again.
    expect(refused.dueAt).toBeGreaterThan(clock.now());
    await clock.advance(WEBHOOK_FIRST_PAUSE_MS);
    const mended = reopen(readWebhookSettings(ENV));
    await mended.deliver();
    expect(sent.length).toBe(1);
    expect(mended.dueAt).toBeUndefined();
  });

  it("[E2] outlive the storage of what they tell of", async () => {
    const { webhooks, sent } = openWebhooks(ok);
    webhooks.tell("generation.ended", { generation: "gen_1" });
    const other = openWebhooks(ok);
    other.webhooks.restore(webhooks.waiting);
    await other.webhooks.deliver();
    expect([sent.length, other.sent.length]).toEqual([0, 1]);
    expect(other.webhooks.dueAt).toBeUndefined();
  });

  it.each([
    ["taken", 204, ["a", "b", "c"]],
    ["refused", 500, ["a", "b", "b", "c"]],
  ])(
    "[E2] keep what waits behind one that is %s while the storage goes",
    async (_how, status, rooms) => {
      let sendings = 0;
      const { webhooks, sql, sent, clock } = openWebhooks(() => {
        sendings += 1;
        if (sendings !== 2) return new Response(null, { status: 204 });
        const { waiting } = webhooks;
        sql.exec("DROP TABLE webhook_outbox");
        webhooks.restore(waiting);
        return new Response(null, { status });
      });
      for (const room of ["a", "b", "c"]) webhooks.tell("room.vacated", { room });
      await webhooks.deliver();
      await clock.advance(WEBHOOK_FIRST_PAUSE_MS);
      await webhooks.deliver();
      const told = sent.map(
        ({ body }) => (JSON.parse(body) as { data: { room: string } }).data.room,
      );
      expect(told).toEqual(rooms);
      expect(webhooks.dueAt).toBeUndefined();
    },
  );

  it.each([
    ["WEBHOOK_URL", { ...ENV, WEBHOOK_URL: "http://receiver.example" }],
    ["WEBHOOK_URL", { ...ENV, WEBHOOK_URL: "https://user:pass@receiver.example" }],
    ["WEBHOOK_URL", { ...ENV, WEBHOOK_URL: "file:///etc/passwd" }],
    ["WEBHOOK_URL", { ...ENV, WEBHOOK_URL: "http://localhost.evil.example" }],
    ["WEBHOOK_SECRET", { ...ENV, WEBHOOK_SECRET: "" }],
    ["WEBHOOK_SECRET", { ...ENV, WEBHOOK_SECRET: "whsec_c2hvcnQ=" }],
    ["WEBHOOK_SECRET", { ...ENV, WEBHOOK_SECRET: "x".repeat(64) }],
    ["WEBHOOK_EVENTS", { ...ENV, WEBHOOK_EVENTS: "room.occupied,room.burnt" }],
  ])("[E2] a bad %s is named and not repeated", (name, env) => {
    expect(refusalOf(() => readWebhookSettings(env))).toMatch(
      new RegExp(`^misconfigured .*${name}`),
    );
  });

  it("[E2] go to this machine without TLS, and nowhere else", () => {
    for (const url of ["http://localhost:1/x", "http://127.0.0.1:1", "http://[::1]:1"]) {
      expect(readWebhookSettings({ ...ENV, WEBHOOK_URL: url })?.url).toBe(url);
    }
    expect(readWebhookSettings({ WEBHOOK_SECRET: "unused" })).toBeUndefined();
  });
});

describe("[W6] a room's occupancy", () => {
  it("[W6] is told once each time, whatever the room forgets", () => {
    const memory = new Map<string, string>();
    const told: string[] = [];
    const note = (members: number): void => {
      noteOccupancy(memory, members, (type) => told.push(type));
    };
    for (const members of [0, 1, 2, 1, 0, 0, 5, 0]) note(members);
    expect(told).toEqual(["room.occupied", "room.vacated", "room.occupied", "room.vacated"]);
  });

  it("[W6] is told later when it cannot be told now", () => {
    const memory = new Map<string, string>();
    const told: string[] = [];
    const fail = (): void => {
      throw new Error("the disk is full");
    };
    expect(() => {
      noteOccupancy(memory, 1, fail);
    }).toThrow("full");
    noteOccupancy(memory, 2, (type) => told.push(type));
    expect(told).toEqual(["room.occupied"]);
  });
});
