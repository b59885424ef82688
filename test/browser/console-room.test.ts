/** The console's Room in a real browser: two people, what they say and point at, and a network that breaks. */
import type { BrowserContext, Page } from "playwright-core";
import { expect, test } from "vitest";
import { openConsole } from "../support/console-page.ts";
import { stageConsole } from "../support/console-stage.ts";
import { until } from "../support/until.ts";

const stage = stageConsole();

/** Somebody in a browser of their own. */
async function enter(room: string, member: string): Promise<[Page, BrowserContext]> {
  const context = await stage.browser.newContext();
  await context.addInitScript(`
    sessionStorage.setItem("sluice.room", "${room}");
    sessionStorage.setItem("sluice.member", "${member}");
  `);
  const { page } = await openConsole(context, stage.worker.origin, "room");
  await here(page).filter({ hasText: member }).waitFor();
  return [page, context];
}

const here = (page: Page) => page.locator(".people").getByRole("listitem");
const said = (page: Page) => page.getByRole("log", { name: "Messages" }).getByRole("listitem");
const textsOf = async (page: Page): Promise<readonly string[]> =>
  await said(page).locator(".text").allInnerTexts();
async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel("Say something").fill(text);
  await page.keyboard.press("Enter");
}

test("[W1][W6][W7] two people see each other come, type, point, talk and go", async () => {
  const [ann] = await enter("pair", "Ann");
  const [bob, bobs] = await enter("pair", "Bob");
  await here(ann).filter({ hasText: "Bob" }).waitFor();
  expect(await here(bob).count()).toBe(2);

  await bob.getByLabel("Say something").pressSequentially("Hello");
  await ann.getByText("Bob is typing…").waitFor();
  await bob.keyboard.press("Enter");
  await said(ann).filter({ hasText: "Hello" }).waitFor();
  await until("nobody types", async () => (await ann.getByText("is typing…").count()) === 0);
  await say(ann, "<b>Hi</b> é😴");
  await said(bob).filter({ hasText: "<b>Hi</b> é😴" }).waitFor();
  expect(await textsOf(ann)).toEqual(["Hello", "<b>Hi</b> é😴"]);

  const pointer = ann.locator('.pointer[data-member="Bob"]');
  const board = await bob.locator(".board").boundingBox();
  const { x = 0, y = 0, width = 0, height = 0 } = board ?? {};
  await bob.mouse.move(x + width * 0.25, y + height * 0.5);
  await pointer.waitFor();
  const leftOf = async (): Promise<number> =>
    Number(/left: ([\d.]+)%/.exec((await pointer.getAttribute("style")) ?? "")?.[1]);
  await until("it is where Bob points", async () => Math.abs((await leftOf()) - 25) < 1);
  await bob.mouse.move(x + width * 0.75, y + height * 0.5, { steps: 5 });
  await until("it has moved", async () => Math.abs((await leftOf()) - 75) < 1);
  await bob.mouse.move(x + width * 2, y + height * 0.5);
  await until("it is gone", async () => (await pointer.count()) === 0);
  // With the keyboard too.
  await bob.locator(".board").focus();
  await bob.keyboard.press("ArrowRight");
  await pointer.waitFor();

  await bobs.close();
  await until("Bob has left", async () => (await here(ann).count()) === 1);
});

test("[W6][S7] who points before the room has let it in is seen pointing", async () => {
  const [ann] = await enter("slow", "Ann");
  const context = await stage.browser.newContext();
  await context.addInitScript(`sessionStorage.setItem("sluice.room", "slow");`);
  let letIn = (): void => {};
  const pointed = new Promise<void>((resolve) => {
    letIn = resolve;
  });
  await context.routeWebSocket(/\/v1\/rooms\//, (socket) => {
    const server = socket.connectToServer();
    // What the room answers comes late, and in order.
    server.onMessage((message) => void pointed.then(() => socket.send(message)));
  });
  const { page: bob } = await openConsole(context, stage.worker.origin, "room");
  await bob.locator(".board").focus();
  await bob.keyboard.press("ArrowRight");
  // The page shows it 80 ms after the key: a timer that is set later for as long ends later.
  await bob.evaluate(`new Promise((done) => setTimeout(done, 80))`);
  letIn();
  await ann.locator(".pointer").waitFor();
  // And it stays: with what Ann shows now comes whatever else Bob has shown on joining.
  await ann.locator(".board").focus();
  await ann.keyboard.press("ArrowRight");
  await bob.locator('.pointer[data-member="Ann"]').waitFor();
  expect(await bob.locator(".pointer").count()).toBe(2);
});

test("[W5][W3] what is said without a network waits, is counted, survives a reload and arrives once, in order", async () => {
  const [ann] = await enter("outbox", "Ann");
  const [bob] = await enter("outbox", "Bob");
  await say(ann, "before");
  await said(bob).filter({ hasText: "before" }).waitFor();
  await ann.getByText("Everything is sent.").waitFor();

  await ann.getByRole("switch", { name: "Network" }).click();
  for (const text of ["one", "two", "three"]) await say(ann, text);
  await ann.getByText("3 waiting to be sent").waitFor();
  expect(await said(ann).filter({ hasText: "waiting" }).count()).toBe(3);
  await say(bob, "meanwhile");
  await ann.getByRole("switch", { name: "Network" }).click();
  await ann.getByText("Everything is sent.").waitFor();
  await said(bob).filter({ hasText: "three" }).waitFor();
  const all = ["before", "meanwhile", "one", "two", "three"];
  expect(await textsOf(bob)).toEqual(all);
  await until("Ann has the same", async () => (await textsOf(ann)).join() === all.join());

  await ann.getByRole("switch", { name: "Network" }).click();
  await say(ann, "four");
  await ann.getByText("1 waiting to be sent").waitFor();
  // The page comes back with a network of its own.
  await ann.reload();
  await said(bob).filter({ hasText: "four" }).waitFor();
  expect(await textsOf(bob)).toEqual([...all, "four"]);
  await until("Ann has all", async () => (await textsOf(ann)).join() === [...all, "four"].join());
});

test("[W3][S4] offline and online again, by the browser's own network, nothing is lost or doubled", async () => {
  const [ann, anns] = await enter("offline", "Ann");
  const [bob] = await enter("offline", "Bob");
  const session = await anns.newCDPSession(ann);
  const emulate = async (offline: boolean): Promise<void> => {
    await session.send("Network.emulateNetworkConditions", {
      offline,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: -1,
    });
  };
  await session.send("Network.enable");
  await emulate(true);
  await say(ann, "from Ann");
  await say(bob, "from Bob");
  await said(bob).filter({ hasText: "from Bob" }).waitFor();
  await emulate(false);
  await said(ann).filter({ hasText: "from Bob" }).waitFor();
  await said(bob).filter({ hasText: "from Ann" }).waitFor();
  expect((await textsOf(bob)).toSorted()).toEqual(["from Ann", "from Bob"]);
  await until(
    "both have the same",
    async () => (await textsOf(ann)).join() === (await textsOf(bob)).join(),
  );
});

test("[W1] whoever leaves is gone for the others, and may come back under another name", async () => {
  const [ann] = await enter("leave", "Ann");
  const [bob] = await enter("leave", "Bob");
  await here(ann).filter({ hasText: "Bob" }).waitFor();
  await bob.getByRole("button", { name: "Leave", exact: true }).click();
  await bob.getByText("You are not in a room.").waitFor();
  await until("Bob has left", async () => (await here(ann).count()) === 1);
  await bob.getByLabel("You", { exact: true }).fill("Cleo");
  await bob.getByRole("button", { name: "Join" }).click();
  await here(ann).filter({ hasText: "Cleo" }).waitFor();
});

test("[I1][W2] the room sleeps between messages while both stay connected, and wakes for the next", async () => {
  const [ann] = await enter("sleepy", "Ann");
  const [bob] = await enter("sleepy", "Bob");
  await here(ann).filter({ hasText: "Bob" }).waitFor();
  await say(ann, "good night");
  await said(bob).filter({ hasText: "good night" }).waitFor();
  const wakes = async (): Promise<number> => {
    const response = await fetch(`${stage.worker.origin}/v1/rooms/sleepy/stats`);
    const { wakes } = (await response.json()) as Record<string, unknown>;
    return Number(wakes);
  };
  const before = await wakes();
  // Asking wakes it too, so it is asked no more often than it falls asleep.
  await expect.poll(wakes, { interval: 12_000, timeout: 50_000 }).toBeGreaterThan(before);
  await say(bob, "good morning");
  await said(ann).filter({ hasText: "good morning" }).waitFor();
  expect(await textsOf(ann)).toEqual(["good night", "good morning"]);
  for (const page of [ann, bob]) {
    expect(await here(page).count()).toBe(2);
    expect(await page.getByText(/lost \d+×/).count()).toBe(0);
  }
});
