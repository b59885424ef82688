import { expect, test } from "vitest";
import type { Standing } from "../../../durable-objects/quota/counters.ts";
import { makeApp } from "../../support/make-app.ts";

const LIMITS = {
  QUOTA_CONNECTIONS: "5",
  QUOTA_ADDRESS_CONNECTIONS: "5",
  QUOTA_TOKENS_PER_DAY: "100000",
  QUOTA_ADDRESS_TOKENS_PER_DAY: "100000",
};

type Call = "reserve" | "open";

/** Quotas that remember what is held; a call to those of the address may fail. */
class FakeQuotas {
  readonly held = new Set<string>();
  /** All that was ever held. */
  readonly ever = new Set<string>();
  readonly #failing: Call | undefined;
  readonly #opened: () => void;

  constructor(failing?: Call, opened = (): void => {}) {
    this.#failing = failing;
    this.#opened = opened;
  }

  idFromName(name: string): string {
    return name;
  }

  idFromString(id: string): string {
    return id;
  }

  get(id: string) {
    const hold = (what: string): void => {
      this.held.add(`${what} ${id}`);
      this.ever.add(`${what} ${id}`);
    };
    const answer = (call: Call): void => {
      if (this.#failing === call && id.startsWith("address:")) throw new Error("down");
    };
    const grants: readonly Standing[] = [];
    return {
      reserve: async () => {
        answer("reserve");
        hold("tokens");
        return { ok: true, grants };
      },
      settle: async (_name: string, tokens: number) => {
        if (tokens === 0) this.held.delete(`tokens ${id}`);
      },
      open: async ({ pool }: { readonly pool: string }) => {
        answer("open");
        hold(pool);
        this.#opened();
        return true;
      },
      close: async () => {
        this.held.delete(`connections ${id}`);
      },
    };
  }
}

/** The status of an answer that nobody reads, when everything is done that is left to do. */
async function send(quotas: FakeQuotas, path: string, init: RequestInit): Promise<number> {
  const waiting: Promise<unknown>[] = [];
  const context = {
    waitUntil: (promise: Promise<unknown>) => waiting.push(promise),
    passThroughOnException: () => {},
    props: {},
  };
  const { status } = await makeApp().request(
    `http://localhost${path}`,
    // Without a dot, as the ids of objects are.
    { headers: { "cf-connecting-ip": "2001:db8::1" }, ...init },
    { ...LIMITS, QUOTAS: quotas, TOPICS: { getByName: () => ({}) } },
    context,
  );
  // What never ends would keep the isolate.
  await Promise.all(waiting);
  return status;
}

async function ask(quotas: FakeQuotas, asked: object = {}): Promise<number> {
  const body = JSON.stringify({ messages: [{ role: "user", content: "Hi" }], ...asked });
  return await send(quotas, "/v1/chat/completions", { method: "POST", body });
}

test("[I7][E2] a direct answer that cannot even begin gives back what was held for it", async () => {
  for (const stream of [false, true]) {
    const quotas = new FakeQuotas();
    expect(await ask(quotas, { stream })).toBe(500);
    expect([...quotas.held]).toEqual([]);
  }
});

test.each([
  ["reserve", "tokens subject:"],
  ["open", "connections subject:"],
] as const)(
  "[I7][E2] where one of those who pay cannot be asked to %s, the other gets back what was held",
  async (call, held) => {
    const quotas = new FakeQuotas(call);
    expect(await ask(quotas)).toBe(500);
    expect([...quotas.ever]).toContain(held);
    expect([...quotas.held]).toEqual([]);
  },
);

test("[I7][E2] an export whose client leaves while it is let in gives back what was held for it", async () => {
  const client = new AbortController();
  const quotas = new FakeQuotas(undefined, () => {
    client.abort();
  });
  await send(quotas, "/v1/topics/t?format=ndjson", { signal: client.signal });
  expect([...quotas.ever]).toContain("connections subject:");
  expect([...quotas.held]).toEqual([]);
});

test("[I7][E2] an export that one of those who pay cannot be asked for holds nothing, and is over", async () => {
  const quotas = new FakeQuotas("open");
  expect(await send(quotas, "/v1/topics/t?format=ndjson", {})).toBe(500);
  expect([...quotas.ever]).toContain("connections subject:");
  expect([...quotas.held]).toEqual([]);
});
