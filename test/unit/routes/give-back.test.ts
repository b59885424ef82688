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
