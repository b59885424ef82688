import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
let worker: RunningWorker;
beforeAll(async () => {
  worker = await startWorker({});
});
afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

test("topic", async () => {
  const client = createClient({ url: worker.origin });
  const orders = client.topic<{ order: { n: number } }>("orders");
  for (let n = 0; n < 5; n += 1) await orders.publish("order", { n });
  const got: number[] = [];
  const states: string[] = [];
  orders.state.onChange(() => states.push(orders.state.get().kind));
  for await (const item of orders) {
    if (item.kind === "message") got.push(item.data.n);
    if (got.length === 5) break;
  }
  expect(got).toEqual([0, 1, 2, 3, 4]);
  await orders.publish("order", { n: 5 });
  for await (const item of orders) {
    if (item.kind === "message") got.push(item.data.n);
    break;
  }
  expect(got).toEqual([0, 1, 2, 3, 4, 5]);
  console.log(states, orders.position);
  client.close();
});
test("room", async () => {
  const client = createClient({ url: worker.origin });
  const ann = client.room("r", { member: "ann", presence: { typing: false } });
  const bob = client.room("r", { member: "bob" });
  await ann.join();
  await bob.join();
  const got: unknown[] = [];
  const done = (async () => {
    for await (const m of bob) {
      got.push(m);
      if (got.length === 3) break;
    }
  })();
  console.log(
    await ann.publish("chat", { text: "hi" }),
    await ann.direct("bob", "dm", "psst"),
    await ann.publish("chat", 7),
  );
  await done;
  console.log(got, bob.presence.get(), await bob.history(), ann.outbox.size.get());
  client.close();
});
test("chat", async () => {
  const client = createClient({ url: worker.origin });
  const answer = client.chat({ messages: [{ role: "user", content: "What is Sluice?" }] });
  let text = "";
  for await (const d of answer) if (d.kind === "text") text += d.text;
  console.log(text.length, await answer.end, answer.id, answer.position);
  const again = await client.resumeChat(answer.id ?? "").whole();
  expect(again.text).toBe(text);
  const stopped = client.chat({
    model: "demo-endless",
    messages: [{ role: "user", content: "x" }],
  });
  let n = 0;
  for await (const _ of stopped) if (++n === 20) void stopped.stop();
  console.log(n, await stopped.end);
  console.log(
    await client
      .chat({ model: "demo-fail-after", messages: [{ role: "user", content: "x" }] })
      .whole(),
  );
  console.log(
    await client
      .chat({ model: "demo-fail-before", messages: [{ role: "user", content: "x" }] })
      .whole(),
  );
  client.close();
});
