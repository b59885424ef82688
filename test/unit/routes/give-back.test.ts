import { expect, test } from "vitest";
import { Counters, type Want } from "../../../durable-objects/quota/counters.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { makeApp } from "../../support/make-app.ts";
import { MemorySql } from "../../support/memory-sql.ts";

/** Publishes to a room that answers so; returns what the quota is said to leave of 10. */
async function remainingAfter(code: string): Promise<string | undefined> {
  const clock = new FakeClock();
  const counters = new Counters(new MemorySql(), clock);
  const env = {
    QUOTA_PUBLISHES_PER_DAY: "10",
    QUOTAS: {
      idFromName: (name: string) => name,
      get: () => ({ take: async (wants: readonly Want[]) => counters.take(wants) }),
    },
    ROOMS: {
      getByName: () => ({ publish: async () => ({ ok: false, code, detail: "No." }) }),
    },
  };
  const response = await makeApp({ clock }).request(
    "http://localhost/v1/rooms/lobby/messages",
    { method: "POST", body: JSON.stringify({ event: "chat", payload: "Hi" }) },
    env,
  );
  return /"subject-publishes";r=(\d+)/.exec(response.headers.get("ratelimit") ?? "")?.[1];
}

test("[E2] what a room refuses costs no publish, what breaks off in it does", async () => {
  expect(await remainingAfter("token_revoked")).toBe("10");
  expect(await remainingAfter("idempotency_conflict")).toBe("10");
  // It may have been stored.
  expect(await remainingAfter("internal")).toBe("9");
});

/** Publishes to a room, in one isolate; each payer's quotas can be made to fail. */
function openPayers(limits: Readonly<Record<string, string>>) {
  const clock = new FakeClock();
  const kept = new Map<string, Counters>();
  const down = new Set<string>();
  const app = makeApp({ clock });
  const env = {
    ...limits,
    QUOTAS: {
      idFromName: (name: string) => name,
      get: (name: string) => ({
        take: async (wants: readonly Want[]) => {
          if ([...down].some((kind) => name.startsWith(kind))) throw new Error("down");
          const counters = kept.get(name) ?? new Counters(new MemorySql(), clock);
          kept.set(name, counters);
          return counters.take(wants);
        },
      }),
    },
    ROOMS: {
      getByName: () => ({ publish: async () => ({ ok: true, value: { epoch: "e", seqs: [1] } }) }),
    },
  };
  const publish = async (count = 1) => {
    const body = Array.from({ length: count }, () => ({ event: "chat", payload: "Hi" }));
    const response = await app.request(
      "http://localhost/v1/rooms/lobby/messages",
      {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "cf-connecting-ip": "192.0.2.1" },
      },
      env,
    );
    const told = response.headers.get("ratelimit") ?? "";
    const left = (policy: string) => Number(new RegExp(`"${policy}";r=(\\d+)`).exec(told)?.[1]);
    return { status: response.status, left };
  };
  return { publish, down };
}

const BOTH = { QUOTA_PUBLISHES_PER_DAY: "10", QUOTA_ADDRESS_PUBLISHES_PER_DAY: "10" };

test.each([
  ["subject", "address"],
  ["address", "subject"],
])(
  "[E2] [I7] where the quotas of the %s cannot be asked, the %s pays nothing",
  async (failing, other) => {
    const { publish, down } = openPayers(BOTH);
    down.add(failing);
    for (let n = 0; n < 5; n += 1) {
      const { status, left } = await publish(2);
      expect([status, left(`${other}-publishes`)]).toEqual([500, 10]);
    }
    down.clear();
    const { status, left } = await publish(2);
    expect([status, left(`${other}-publishes`)]).toEqual([201, 8]);
  },
);

test("[E2] where one refuses, the other is told what it has after it got everything back", async () => {
  const { publish } = openPayers({ ...BOTH, QUOTA_ADDRESS_PUBLISHES_PER_DAY: "3" });
  expect((await publish(2)).left("subject-publishes")).toBe(8);
  const refused = await publish(2);
  expect([refused.status, refused.left("subject-publishes")]).toEqual([429, 8]);
  const last = await publish(1);
  expect([last.status, last.left("subject-publishes")]).toEqual([201, 7]);
});
