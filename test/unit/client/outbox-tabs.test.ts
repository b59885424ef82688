/** One queue of several tabs: whose it is, and what becomes of what the server refuses. */
import { BroadcastChannel } from "node:worker_threads";
import { afterEach, expect, test, vi } from "vitest";
import { tokensOf } from "../../../src/client/connection/tokens.ts";
import { memoryOutbox } from "../../../src/client/outbox/memory.ts";
import { SharedSender } from "../../../src/client/outbox/shared-sender.ts";
import type { OutboxStorage } from "../../../src/client/outbox/types.ts";
import { joinQueue } from "../../../src/client/tabs/queue.ts";
import type { Raw } from "../../../src/protocol/frames.ts";
import { settle } from "../../support/fake-clock.ts";
import { until } from "../../support/until.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

const clock = { now: () => Date.now(), after: () => () => {} };

const jwt = (claims: object): string => `${btoa("{}")}.${btoa(JSON.stringify(claims))}.signature`;

/** Tabs with one storage; each says what it has put on the wire. */
function browser() {
  const scope = crypto.randomUUID();
  const stored = memoryOutbox();
  const open = (token: string | undefined, storage: OutboxStorage = stored) => {
    const sent: string[] = [];
    const sender = new SharedSender(
      { storage },
      {
        context: { clock, tokens: tokensOf(token, clock) },
        box: "room ",
        room: { member: undefined, join: () => Promise.resolve() },
        line: { send: ({ id }) => sent.push(id) },
      },
      (box, member) => joinQueue(`${scope} ${box}`, member),
    );
    void sender.restore();
    const say = (id: string): Promise<unknown> => {
      const payload = new Uint8Array(1) as Raw;
      return sender.send({ id, to: undefined, event: "say", payload });
    };
    const close = (): void => {
      sender.finish(new Error("closed") as never);
    };
    return { sender, sent, say, close };
  };
  return { stored, open };
}

const ANN = jwt({ sub: "ann" });

test.each([
  ["guests", undefined, undefined],
  ["tokens that name nobody", "key", "key"],
  ["two people", ANN, jwt({ sub: "bob" })],
  ["two members of one subject", ANN, jwt({ sub: "ann", sluice: { member: "boss" } })],
])("[W3][E2] what one says is sent by nobody else: %s", async (_, one, another) => {
  const { open } = browser();
  const first = open(one);
  first.say("m1").catch(() => {});
  await settle();
  const second = open(another);
  second.sender.opened();
  second.say("m2").catch(() => {});
  await until("the second to send", () => second.sent.length > 0);
  await settle();
  expect(second.sent).toEqual(["m2"]);
  first.sender.opened();
  await until("the first to send", () => first.sent.length > 0);
  expect(first.sent).toEqual(["m1"]);
  first.close();
  second.close();
});

test("[W3][S7] what is refused before the tab that said it has stored it is not stored after", async () => {
  const { stored, open } = browser();
  const { promise, resolve } = Promise.withResolvers<void>();
  const slow: OutboxStorage = {
    ...stored,
    add: async (box, message) => {
      await promise;
      await stored.add(box, message);
    },
  };
  const sending = open(ANN);
  sending.sender.opened();
  const saying = open(ANN, slow);
  await settle();
  const said = saying.say("m1");
  await until("it to be sent", () => sending.sent.length === 1);
  sending.sender.refused({
    kind: "error",
    id: "m1",
    code: "not_allowed",
    message: "No.",
    retryAfterMs: undefined,
  });
  await expect(said).rejects.toMatchObject({ code: "not_allowed" });
  resolve();
  await settle();
  expect(await stored.load("room ann")).toEqual([]);
  sending.close();
  saying.close();
});

test("[W3][S7] what was answered while a tab read the storage is not sent again by it", async () => {
  const { stored, open } = browser();
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = open(ANN);
  first.sender.opened();
  const said = first.say("m1");
  await until("it to be sent", () => first.sent.length === 1);
  const second = open(ANN, {
    ...stored,
    load: async (box) => {
      const messages = await stored.load(box);
      await promise;
      return messages;
    },
  });
  await settle();
  first.sender.answered([{ id: "m1", seq: 1 }]);
  await expect(said).resolves.toEqual({ id: "m1", seq: 1 });
  await settle();
  first.close();
  second.sender.opened();
  second.say("m2").catch(() => {});
  resolve();
  await until("the second to send", () => second.sent.includes("m2"));
  expect(second.sent).toEqual(["m2"]);
  second.close();
});

test("[W3][S7] a tab that begins to send learns of what is still being stored", async () => {
  const { stored, open } = browser();
  const saying = open(ANN, { ...stored, add: () => new Promise(() => {}) });
  await settle();
  saying.say("m1").catch(() => {});
  await settle();
  const sending = open(ANN);
  sending.sender.opened();
  await until("it to be sent", () => sending.sent.length === 1);
  saying.close();
  sending.close();
});

test("[W3] what a former page left goes before what is said while it is read, whatever its clock said", async () => {
  const { stored, open } = browser();
  const payload = new Uint8Array(1);
  const left = { id: "m1", order: Date.now() + 60_000, to: undefined, event: "say", payload };
  await stored.add("room ann", left);
  const tab = open(ANN);
  tab.say("m2").catch(() => {});
  tab.sender.opened();
  await until("both to be sent", () => tab.sent.length === 2);
  expect(tab.sent).toEqual(["m1", "m2"]);
  // Also by whoever reads them next.
  const orders = (await stored.load("room ann")).map(({ id, order }) => [id, order > left.order]);
  expect(orders).toEqual([
    ["m1", false],
    ["m2", true],
  ]);
  tab.close();
});

test.each([
  ["pagehide", "pageshow"],
  ["freeze", "resume"],
])(
  "[W5][S7] a tab hears nothing from %s on: back by %s, it learns what became of what it said, and what waits",
  async (away, back) => {
    const { open } = browser();
    const page = new EventTarget();
    let isAway = false;
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    // Browsers keep nothing for a page that is frozen.
    class LossyChannel extends BroadcastChannel {
      override addEventListener(
        ...[type, take]: Parameters<BroadcastChannel["addEventListener"]>
      ): void {
        super.addEventListener(type, (event) => {
          if (!isAway && typeof take === "function") take(event);
        });
      }
    }
    vi.stubGlobal("BroadcastChannel", LossyChannel);
    const leaving = open(ANN);
    await settle();
    vi.unstubAllGlobals();
    const staying = open(ANN);
    leaving.sender.opened();
    await settle();
    const said = leaving.say("m1");
    await until("it to be sent", () => leaving.sent.length === 1);
    page.dispatchEvent(new Event(away));
    isAway = true;
    leaving.sender.lost();
    staying.sender.opened();
    await until("it to be sent by the other", () => staying.sent.length === 1);
    staying.sender.answered([{ id: "m1", seq: 1 }]);
    const meanwhile = staying.say("m2");
    await settle();
    expect(leaving.sender.size.get()).toBe(1);
    isAway = false;
    page.dispatchEvent(new Event(back));
    await expect(said).resolves.toEqual({ id: "m1", seq: 1 });
    expect(leaving.sender.size.get()).toBe(1);
    staying.sender.answered([{ id: "m2", seq: 2 }]);
    await meanwhile;
    await until("nothing to wait", () => leaving.sender.size.get() === 0);
    expect([leaving.sent, staying.sent]).toEqual([["m1"], ["m1", "m2"]]);
    leaving.close();
    staying.close();
  },
);

test("[W3][S7] a tab that was away while messages waited sends them as they were said", async () => {
  const { open } = browser();
  const page = new EventTarget();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  const leaving = open(ANN);
  await settle();
  vi.unstubAllGlobals();
  const staying = open(ANN);
  await settle();
  for (const [id, tab] of [
    ["m1", leaving],
    ["m2", staying],
    ["m3", leaving],
  ] as const) {
    tab.say(id).catch(() => {});
    await settle();
  }
  page.dispatchEvent(new Event("freeze"));
  page.dispatchEvent(new Event("resume"));
  await settle();
  leaving.sender.opened();
  await until("all to be sent", () => leaving.sent.length === 3);
  expect(leaving.sent).toEqual(["m1", "m2", "m3"]);
  leaving.close();
  staying.close();
});
