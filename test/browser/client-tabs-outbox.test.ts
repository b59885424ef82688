/** One outbox for all tabs of a real browser: who sends, who is told, and what a tab that is gone leaves behind. */
import type { Page, WebSocket } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTabsStage, type TabsStage } from "../support/tabs-stage.ts";
import { crash, hang, NO_PORT, openTabs } from "../support/tabs.ts";
import { openTcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

let stage: TabsStage;
beforeAll(async () => {
  stage = await openTabsStage();
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/** Frames that publish begin so: an array whose first element is the kind. */
const isPublish = (payload: string | Buffer): boolean =>
  typeof payload !== "string" && payload[1] === 2;

/** A browser whose pages may reach the Worker, and which messages each of its pages has put on the wire. */
async function openBrowser() {
  // A page that a test has put there counts as one of another network, from which no socket leads here.
  const context = await stage.browser.newContext({ permissions: ["local-network-access"] });
  const frames = new Map<Page, number>();
  context.on("page", (page) => {
    frames.set(page, 0);
    page.on("websocket", (socket: WebSocket) => {
      socket.on("framesent", ({ payload }) => {
        if (isPublish(payload)) frames.set(page, (frames.get(page) ?? 0) + 1);
      });
    });
  });
  return { context, sent: (): number => [...frames.values()].reduce((a, b) => a + b, 0) };
}

const say = async (tab: Page, ...payloads: readonly string[]): Promise<void> => {
  for (const one of payloads) await tab.evaluate(`seen.say("${one}")`);
};
const join = async (tabs: readonly Page[], room: string): Promise<void> => {
  for (const tab of tabs) await tab.evaluate(`globalThis.seen = joinDurably("${room}", "ann")`);
};
const sizes = async (tabs: readonly Page[]): Promise<unknown[]> =>
  await Promise.all(tabs.map(async (tab) => await tab.evaluate("seen.room.outbox.size.get()")));
const waits = async (tabs: readonly Page[], size: number): Promise<void> => {
  await until(`${size} to wait in each tab`, async () =>
    (await sizes(tabs)).every((one) => one === size),
  );
};
const log = async (room: string): Promise<unknown[]> => await stage.messages(room);

test.each(["page", "page?alone"])(
  "[W3][S7] what three tabs say goes out once each, and every tab has its own receipts (%s)",
  async (page) => {
    const room = `queue-${page.length}`;
    const { context, sent } = await openBrowser();
    const tabs = await openTabs(stage.open, context, { address: `${stage.worker.origin}/${page}` });
    await join(tabs, room);
    await Promise.all(tabs.map((tab, n) => say(tab, `${n} a`, `${n} b`, `${n} c`)));
    await until("all receipts", async () => {
      const receipts = await Promise.all(tabs.map((tab) => tab.evaluate<unknown[]>("seen.sent")));
      return receipts.every((own) => own.length === 3);
    });
    const stored = await log(room);
    expect(stored).toHaveLength(9);
    for (const [n, tab] of tabs.entries()) {
      const own = stored.filter((payload) => String(payload).startsWith(`${n} `));
      expect(own).toEqual([`${n} a`, `${n} b`, `${n} c`]);
      const receipts = own.map((payload) => [payload, stored.indexOf(payload) + 1]);
      expect(await tab.evaluate("seen.sent")).toEqual(receipts);
    }
    await waits(tabs, 0);
    expect(sent()).toBe(9);
    await context.close();
  },
);

test.each(["closed", "crashed"])(
  "[W3][S7] messages that wait are counted in all tabs; a tab that is %s leaves its own to the others",
  async (how) => {
    const room = `left-${how}`;
    let port = stage.worker.port;
    await using proxy = await openTcpProxy(() => port);
    const { context } = await openBrowser();
    const tabs = await openTabs(stage.open, context, { address: `${proxy.origin}/page` });
    await join(tabs, room);
    for (const tab of tabs) await tab.evaluate("seen.room.join()");
    port = NO_PORT;
    proxy.cut();
    const [first, ...others] = tabs;
    if (first === undefined) throw new Error("There is no tab.");
    await say(first, "one", "two");
    await waits(tabs, 2);
    await say(others[0] ?? first, "three");
    await waits(tabs, 3);
    if (how === "closed") await first.close();
    else await crash(context, first);
    await waits(others, 3);
    port = stage.worker.port;
    await waits(others, 0);
    expect(await log(room)).toEqual(["one", "two", "three"]);
    expect(await others[0]?.evaluate("seen.sent")).toEqual([["three", 3]]);
    await context.close();
  },
);

test.each([
  ["is refused", `indexedDB.open = () => { throw new DOMException("No.", "SecurityError"); }`],
  ["never answers", `indexedDB.open = () => new EventTarget()`],
])(
  "[W3][S7] where IndexedDB %s, what tabs say is sent all the same, and once",
  async (how, script) => {
    const room = `no-storage-${how.length}`;
    const { context } = await openBrowser();
    await context.addInitScript(script);
    const tabs = await openTabs(stage.open, context, {
      address: `${stage.worker.origin}/page`,
      count: 2,
    });
    await join(tabs, room);
    for (const tab of tabs) await say(tab, "a", "b");
    await waits(tabs, 0);
    expect((await log(room)).map(String).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      "a",
      "a",
      "b",
      "b",
    ]);
    for (const tab of tabs) expect(await tab.evaluate("seen.sent.length")).toBe(2);
    await context.close();
  },
);

test("[W3][S7] the tab that sends hangs: another takes its place, and nothing is sent twice when it wakes", async () => {
  const { context } = await openBrowser();
  const tabs = await openTabs(stage.open, context, {
    address: `${stage.worker.origin}/page?alone`,
    count: 2,
  });
  const [first, other] = tabs;
  if (first === undefined || other === undefined) throw new Error("A tab is missing.");
  await join(tabs, "hang");
  await first.evaluate("seen.room.join()");
  await say(first, "before");
  await waits(tabs, 0);
  const wake = await hang(first);
  await say(other, "meanwhile");
  await waits([other], 0);
  await wake();
  await say(first, "after");
  await waits(tabs, 0);
  expect(await log("hang")).toEqual(["before", "meanwhile", "after"]);
  await context.close();
});

test("[W5][S7] a tab holds the database for ever, as one does that is frozen while it writes: others send what they say", async () => {
  const { context } = await openBrowser();
  const address = `${stage.worker.origin}/page?alone`;
  const [first] = await openTabs(stage.open, context, { address, count: 1 });
  if (first === undefined) throw new Error("There is no tab.");
  await join([first], "held");
  await say(first, "before");
  await waits([first], 0);
  await first.evaluate(`new Promise((held) => {
    const opening = indexedDB.open("sluice-outbox");
    opening.onsuccess = () => {
      const store = opening.result.transaction("messages", "readwrite").objectStore("messages");
      const goOn = () => {
        store.count().onsuccess = goOn;
        held();
      };
      goOn();
    };
  })`);
  const others = await openTabs(stage.open, context, { address, count: 2 });
  await join(others, "held");
  for (const [n, tab] of others.entries()) await say(tab, `meanwhile ${n}`);
  await waits(others, 0);
  await first.close();
  expect(new Set(await log("held"))).toEqual(new Set(["before", "meanwhile 0", "meanwhile 1"]));
  expect(await log("held")).toHaveLength(3);
  await context.close();
});
