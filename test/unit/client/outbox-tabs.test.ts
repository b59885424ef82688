/** One queue of several tabs: whose it is, and what becomes of what the server refuses. */
import { expect, test } from "vitest";
import { Tokens } from "../../../src/client/connection/tokens.ts";
import { memoryOutbox } from "../../../src/client/outbox/memory.ts";
import { SharedSender } from "../../../src/client/outbox/shared-sender.ts";
import type { OutboxStorage } from "../../../src/client/outbox/types.ts";
import { joinQueue } from "../../../src/client/tabs/queue.ts";
import type { Raw } from "../../../src/protocol/frames.ts";
import { settle } from "../../support/fake-clock.ts";
import { until } from "../../support/until.ts";

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
        clock,
        context: { tokens: new Tokens(token, clock) },
        box: "room ",
        isNamed: false,
        whenOpen: () => Promise.resolve(),
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
  second.sender.connected();
  second.say("m2").catch(() => {});
  await until("the second to send", () => second.sent.length > 0);
  await settle();
  expect(second.sent).toEqual(["m2"]);
  first.sender.connected();
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
  sending.sender.connected();
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
