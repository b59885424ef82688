/** The client in a page that is left and shown again as it was, or frozen, with everything open. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type CachingBrowser, freeze, launchCachingBrowser } from "../support/page-cache.ts";
import { openTabsStage, type TabsStage } from "../support/tabs-stage.ts";
import { allHave, leaderOf, NO_PORT, openTabs } from "../support/tabs.ts";
import { openTcpProxy } from "../support/tcp-proxy.ts";
import { TopicClient } from "../support/topic-client.ts";
import { until } from "../support/until.ts";
import { answerBehind } from "../support/upstream-scripts.ts";

let stage: TabsStage<CachingBrowser>;
beforeAll(async () => {
  stage = await openTabsStage(launchCachingBrowser);
  // A page that a test has put there counts as one of another network, from which no socket leads here.
  await stage.browser.context.grantPermissions(["local-network-access"]);
});
afterEach(async () => {
  for (const page of stage.browser.context.pages()) await page.close();
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});
/** How a page is away for a while, and whether it leads then, follows or shares nothing. */
const WAYS = (["left", "frozen"] as const).flatMap((how) =>
  (["leads", "follows", "shares nothing"] as const).map((part) => ({ how, part })),
);

test.each(WAYS)(
  "[S7][S3][W3][L4] a page that $part is $how with everything open: the others go on, and so does it, nothing lost or doubled",
  async ({ how, part }) => {
    const { browser, worker, upstream, open } = stage;
    const gates = Array.from({ length: 2 }, () => Promise.withResolvers<void>());
    upstream.reply(answerBehind(gates));
    const name = `${how}-${part.replace(" ", "-")}`;
    const topic = new TopicClient(() => worker.origin, name);
    const connected = async (each: number): Promise<void> => {
      let seen: unknown[] = [];
      await until(
        `${each} to be connected`,
        async () => {
          seen = [await topic.stats(), await stage.roomStats(name)].map((of) => of["connections"]);
          return seen.every((count) => count === each);
        },
        () => seen,
      );
    };
    const address = `${worker.origin}/page${part === "shares nothing" ? "?alone" : ""}`;
    const tabs = await openTabs(open, browser.context, { address, count: 2 });
    for (const tab of tabs) {
      await tab.evaluate(`{
        globalThis.seen = readTopic("${name}");
        globalThis.talk = joinDurably("${name}", "ann");
        talk.room.join().then(() => undefined);
      }`);
    }
    const [away, other] = part === "follows" ? tabs.toReversed() : tabs;
    if (away === undefined || other === undefined) throw new Error("A tab is missing.");
    await away.evaluate("globalThis.asked = askAnswer(); undefined");
    await allHave([away], "asked.text", "part 0 ");
    await topic.publish({ data: 0 });
    await away.evaluate(`talk.say("0")`);
    await allHave(tabs, "seen.items", [0]);
    await allHave(tabs, "talk.items", ["0"]);
    const isShared = part !== "shares nothing";
    const both = isShared ? 1 : 2;
    await connected(both);
    if (isShared) expect(await leaderOf(tabs, "topic")).toBe(part === "leads" ? away : other);
    await away.evaluate(`talk.say("1")`);
    if (how === "left") {
      // A browser does not keep a page that is left while it writes to a database others wait for.
      await allHave([away], "talk.sent.length", 2);
      await until("it to be written", async () => (await away.evaluate("countKept()")) === 0);
    }

    const comeBack =
      how === "left" ? await browser.leave(away, `${worker.origin}/healthz`) : await freeze(away);
    await connected(1);
    gates[0]?.resolve();
    await topic.publish({ data: 1 });
    await other.evaluate(`talk.say("2")`);
    await allHave([other], "seen.items", [0, 1]);
    await allHave([other], "talk.items", ["0", "1", "2"]);
    await allHave([other], "talk.room.outbox.size.get()", 0);
    if (isShared) expect(await leaderOf([other], "topic")).toBe(other);

    await comeBack();
    await away.evaluate(`talk.say("3")`);
    await topic.publish({ data: 2 });
    await allHave(tabs, "seen.items", [0, 1, 2]);
    await allHave(tabs, "talk.items", ["0", "1", "2", "3"]);
    await allHave(tabs, "talk.room.outbox.size.get()", 0);
    await allHave([away], "talk.sent.map(([said]) => said)", ["0", "1", "3"]);
    await allHave([away], "asked.text", "part 0 part 1 ");
    gates[1]?.resolve();
    await allHave([away], "[asked.text, asked.end]", ["part 0 part 1 part 2 end", "completed"]);
    expect(upstream.exchanges.length).toBe(1);
    await allHave(tabs, "seen.topic.state.get().kind", "live");
    if (isShared) await allHave([away], "seen.topic.state.get().tab", "other");
    await connected(both);
  },
);

test("[W5][S7] a page is frozen while what it said waits: another sends it, and it hears of that when it is back", async () => {
  const { browser, worker, open } = stage;
  let port = worker.port;
  await using proxy = await openTcpProxy(() => port);
  const address = `${proxy.origin}/page?alone`;
  const tabs = await openTabs(open, browser.context, { address, count: 2 });
  const [away, other] = tabs;
  if (away === undefined || other === undefined) throw new Error("A tab is missing.");
  for (const tab of tabs) {
    await tab.evaluate(`globalThis.talk = joinDurably("frozen-waiting", "ann"); talk.room.join()`);
  }
  port = NO_PORT;
  proxy.cut();
  await away.evaluate(`talk.say("one")`);
  await allHave(tabs, "talk.room.outbox.size.get()", 1);
  const thaw = await freeze(away);
  port = worker.port;
  await allHave([other], "talk.room.outbox.size.get()", 0);
  await thaw();
  await allHave(tabs, "talk.room.outbox.size.get()", 0);
  expect(await away.evaluate("talk.sent")).toEqual([["one", 1]]);
  expect(await stage.messages("frozen-waiting")).toEqual(["one"]);
});
