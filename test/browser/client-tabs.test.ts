/** The client in several tabs of a real browser: one connection for all, handed on when its tab is closed. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTabsStage, type TabsStage } from "../support/tabs-stage.ts";
import { allHave, numbers, openTabs } from "../support/tabs.ts";
import { openTcpProxy } from "../support/tcp-proxy.ts";
import { TopicClient } from "../support/topic-client.ts";
import { until } from "../support/until.ts";

let stage: TabsStage;
beforeAll(async () => {
  stage = await openTabsStage();
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

test("[S7][S3] three tabs read a topic over one connection; the tab that holds it is closed, then the next, and nothing is lost or doubled", async () => {
  const topic = new TopicClient(() => stage.worker.origin, "shared");
  const context = await stage.browser.newContext();
  const tabs = await openTabs(stage.open, context, { address: `${stage.worker.origin}/page` });
  let next = 0;
  const publish = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) {
      await topic.publish({ data: next });
      next += 1;
    }
  };
  await publish(5);
  for (const tab of tabs) await tab.evaluate(`globalThis.seen = readTopic("shared"); undefined`);
  await allHave(tabs, "seen.items", numbers(next));
  await until("one connection", async () => (await topic.stats())["connections"] === 1);
  while (tabs.length > 1) {
    await tabs.shift()?.close();
    // While nobody may be connected.
    await publish(5);
    await allHave(tabs, "seen.items", numbers(next));
    await publish(5);
    await allHave(tabs, "seen.items", numbers(next));
    await until("one connection", async () => (await topic.stats())["connections"] === 1);
  }
  await context.close();
  await until("none", async () => (await topic.stats())["connections"] === 0);
});

test("[S7][S4] the network is cut under the shared connection: every tab goes on once and in order", async () => {
  await using proxy = await openTcpProxy(stage.worker.port);
  const topic = new TopicClient(() => stage.worker.origin, "cut");
  const context = await stage.browser.newContext();
  const tabs = await openTabs(stage.open, context, { address: `${proxy.origin}/page` });
  for (const tab of tabs) await tab.evaluate(`globalThis.seen = readTopic("cut"); undefined`);
  let next = 0;
  for (let round = 0; round < 3; round += 1) {
    for (let n = 0; n < 5; n += 1) {
      await topic.publish({ data: next });
      next += 1;
      if (n === 2) proxy.cut();
    }
    await allHave(tabs, "seen.items", numbers(next));
  }
  await until("one connection", async () => (await topic.stats())["connections"] === 1);
  await context.close();
});

test("[S7][W3][W6] three tabs are one member by one connection; each publishes, all hear all once, also when the holding tab is closed", async () => {
  // A page that a test has put there counts as one of another network, from which no socket leads here.
  const context = await stage.browser.newContext({ permissions: ["local-network-access"] });
  const tabs = await openTabs(stage.open, context, { address: `${stage.worker.origin}/page` });
  for (const tab of tabs) {
    await tab.evaluate(`{
      globalThis.seen = joinRoom("shared", { member: "ann", history: 50 });
      seen.room.join().then(() => undefined);
    }`);
  }
  let next = 0;
  const talk = async (): Promise<void> => {
    for (const tab of tabs) {
      await tab.evaluate(`seen.room.publish("say", ${next}).then(() => undefined)`);
      next += 1;
    }
  };
  await talk();
  await allHave(tabs, "seen.items", numbers(next));
  expect(await stage.roomStats("shared")).toMatchObject({ connections: 1, members: 1 });
  await tabs.shift()?.close();
  await talk();
  await allHave(tabs, "seen.items", numbers(next));
  tabs.push(await stage.open(context, `${stage.worker.origin}/page`));
  await tabs.at(-1)?.evaluate(`{
    globalThis.seen = joinRoom("shared", { member: "ann", history: 50 });
    seen.room.join().then(() => undefined);
  }`);
  await talk();
  await allHave(tabs, "seen.items", numbers(next));
  for (const tab of tabs) {
    expect(await tab.evaluate("seen.room.presence.get()")).toMatchObject({ count: 1 });
  }
  await until("one connection", async () => (await stage.roomStats("shared"))["connections"] === 1);
  await context.close();
});
