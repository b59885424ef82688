/** What becomes of tabs in a real browser, while others read over their connection: they crash, hang, hide. */
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GenerationClient, messages } from "../support/generation-client.ts";
import { openTabsStage, type TabsStage } from "../support/tabs-stage.ts";
import { countOpen, crash, hang, leaderOf, openTabs } from "../support/tabs.ts";
import { TopicClient } from "../support/topic-client.ts";
import { until } from "../support/until.ts";
import { answerBehind } from "../support/upstream-scripts.ts";

let stage: TabsStage;
beforeAll(async () => {
  stage = await openTabsStage();
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

const itemsOf = async (page: Page): Promise<unknown[]> => await page.evaluate("seen.items");

/** Tabs that read a topic, and a count of what was published to it. */
async function readers(name: string, context: BrowserContext, address = "/page") {
  const topic = new TopicClient(() => stage.worker.origin, name);
  const tabs = await openTabs(stage.open, context, { address: stage.worker.origin + address });
  for (const tab of tabs) await tab.evaluate(`globalThis.seen = readTopic("${name}"); undefined`);
  const published: number[] = [];
  const publish = async (): Promise<void> => {
    await topic.publish({ data: published.length });
    published.push(published.length);
  };
  const haveAll = async (some: readonly Page[]): Promise<void> => {
    await until("all to have all", async () => {
      const all = await Promise.all(some.map(itemsOf));
      return all.every((items) => items.length >= published.length);
    });
    for (const tab of some) expect(await itemsOf(tab)).toEqual(published);
  };
  const connections = async (): Promise<number | undefined> => (await topic.stats())["connections"];
  return { tabs, publish, haveAll, connections };
}

test("[S7][S3] the leading tab crashes, and then the next: the others go on, once and in order", async () => {
  const context = await stage.browser.newContext();
  const { tabs, publish, haveAll, connections } = await readers("crash", context);
  await publish();
  await haveAll(tabs);
  let left: readonly Page[] = tabs;
  while (left.length > 1) {
    const leader = await leaderOf(left, "topic");
    await crash(context, leader);
    left = left.filter((tab) => tab !== leader);
    await publish();
    await haveAll(left);
    await until("one connection", async () => (await connections()) === 1);
  }
  await context.close();
});

test("[S7] a tab that leads and is left, to be shown again as it was, gives the lead away and comes back", async () => {
  const context = await stage.browser.newContext();
  const { tabs, publish, haveAll, connections } = await readers("hide", context);
  await publish();
  await haveAll(tabs);
  const leader = await leaderOf(tabs, "topic");
  await leader.evaluate(`dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }))`);
  const others = tabs.filter((tab) => tab !== leader);
  await leaderOf(others, "topic");
  await publish();
  await haveAll(tabs);
  expect(await leader.evaluate("seen.topic.state.get().tab")).toBe("other");
  await until("one connection", async () => (await connections()) === 1);
  await context.close();
});

test("[S7] the leading tab hangs: the others notice, have connections of their own, and give them up when it wakes", async () => {
  const context = await stage.browser.newContext();
  const { tabs, publish, haveAll, connections } = await readers("hang", context);
  await publish();
  await haveAll(tabs);
  const leader = await leaderOf(tabs, "topic");
  const wake = await hang(leader);
  await publish();
  await haveAll(tabs.filter((tab) => tab !== leader));
  await wake();
  await haveAll(tabs);
  await until("one connection", async () => (await connections()) === 1);
  await context.close();
});

test("[S7] who opts out has a connection of its own in each tab", async () => {
  const context = await stage.browser.newContext();
  const { tabs, publish, haveAll, connections } = await readers("alone", context, "/page?alone");
  await publish();
  await haveAll(tabs);
  await until("three connections", async () => (await connections()) === 3);
  for (const tab of tabs) {
    expect(await tab.evaluate("String(seen.topic.state.get().tab)")).toBe("undefined");
  }
  await context.close();
});

test("[S7][L4] three tabs read one answer over one connection, which is handed on in mid-answer, without a letter lost or doubled", async () => {
  const gates = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  stage.upstream.reply(answerBehind(gates));
  const generations = new GenerationClient(stage.worker.origin);
  const asked = await generations.post("/v1/chat/completions", {
    messages,
    stream: true,
    store: true,
  });
  const id = asked.headers.get("sluice-generation") ?? "";
  await asked.body?.cancel();
  const context = await stage.browser.newContext();
  const connections = countOpen(context, /\/events$/);
  let tabs: readonly Page[] = await openTabs(stage.open, context, {
    address: `${stage.worker.origin}/page`,
  });
  for (const tab of tabs) await tab.evaluate(`globalThis.seen = readAnswer("${id}"); undefined`);
  const allHave = async (text: string): Promise<void> => {
    await until(`all to have ${text}`, async () => {
      const texts = await Promise.all(tabs.map(async (tab) => await tab.evaluate("seen.text")));
      return texts.every((one) => one === text);
    });
  };
  await allHave("part 0 ");
  await until("one connection", () => connections() === 1);
  gates[0]?.resolve();
  await allHave("part 0 part 1 ");
  for (const [gate, text] of [
    [gates[1], "part 0 part 1 part 2 "],
    [gates[2], "part 0 part 1 part 2 part 3 end"],
  ] as const) {
    const leader = await leaderOf(tabs, "answer");
    await leader.close();
    tabs = tabs.filter((tab) => tab !== leader);
    await until("the answer to be read on", () => connections() === 1);
    gate?.resolve();
    await allHave(text);
  }
  for (const tab of tabs) {
    await until("the end", async () => (await tab.evaluate("seen.end")) === "completed");
  }
  expect(stage.upstream.exchanges.length).toBe(1);
  await context.close();
});
