/** The object that keeps tickets: each is given out once, in time. */
import {
  createExecutionContext,
  runDurableObjectAlarm,
  runInDurableObject,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { hashTicket, makeTicket, shardOf } from "../../src/auth/ticket.ts";
import { systemClock } from "../../src/stream/clock.ts";
import { makeApp } from "../support/make-app.ts";
import { now, SECRET } from "../support/tokens.ts";

const HASH = "ab".repeat(32);

test("[E2][I8] a ticket is given out once, whoever asks at the same time", async () => {
  const stub = env.TICKETS.getByName("once");
  await stub.keep(HASH, "what it opens", Date.now() + 30_000);
  const answers = await Promise.all(Array.from({ length: 50 }, () => stub.take(HASH)));
  expect(answers.filter((answer) => answer !== undefined)).toEqual(["what it opens"]);
  expect(await stub.take(HASH)).toBeUndefined();
});

test("[E2][I8] a ticket whose time is over opens nothing, and the alarm removes it", async () => {
  const stub = env.TICKETS.getByName("late");
  await stub.keep(HASH, "late", Date.now() - 1);
  const count = () =>
    runInDurableObject(
      stub,
      (_object, state) => state.storage.sql.exec("SELECT * FROM tickets").toArray().length,
    );
  expect(await count()).toBe(1);
  await stub.keep("cd".repeat(32), "in time", Date.now() + 30_000);
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  expect(await count()).toBe(1);
  expect(await stub.take(HASH)).toBeUndefined();
  // What is left is looked at again.
  expect(
    await runInDurableObject(stub, (_object, state) => state.storage.getAlarm()),
  ).not.toBeNull();
});

test("[E2][I8] a ticket whose narrowing is no longer understood opens nothing", async () => {
  const app = makeApp({ clock: systemClock });
  const statusWith = async (more: object): Promise<number> => {
    const ticket = makeTicket();
    const hash = await hashTicket(ticket);
    const opens = {
      subject: "ann",
      expiresAt: now() + 60,
      claim: { can: { "topics/**": ["read"] } },
      ...more,
    };
    const stub = env.TICKETS.getByName(shardOf(hash));
    await stub.keep(hash, JSON.stringify(opens), Date.now() + 30_000);
    const context = createExecutionContext();
    const url = `https://sluice.example/v1/topics/narrowed?format=sse&ticket=${ticket}`;
    const response = await app.fetch(new Request(url), { ...env, AUTH_SECRET: SECRET }, context);
    await response.body?.cancel();
    await waitOnExecutionContext(context);
    return response.status;
  };
  expect(await statusWith({})).toBe(200);
  expect(await statusWith({ within: { "topics/narrowed": ["read"] } })).toBe(200);
  expect(await statusWith({ within: { "topics/narrowed": ["fly"] } })).toBe(401);
  expect(await statusWith({ within: null })).toBe(401);
});
