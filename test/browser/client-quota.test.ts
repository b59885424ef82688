/** An outbox in IndexedDB when the browser has no room for it: what is said of it, and what is kept when there is again. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTabsStage, type TabsStage } from "../support/tabs-stage.ts";
import { NO_PORT } from "../support/tabs.ts";
import { openTcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

let stage: TabsStage;
beforeAll(async () => {
  stage = await openTabsStage();
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/**
 * Gives the page a database with little room, which the browser itself holds it to: a storage bucket with a quota.
 * (That of a whole origin is as large as the disk.) `fill` leaves no room in it, `clear` gives it back.
 */
const SMALL_STORAGE = `(async () => {
  const bucket = await navigator.storageBuckets.open("small", { quota: 400_000 });
  Object.defineProperty(globalThis, "indexedDB", { value: bucket.indexedDB });
  const database = await new Promise((opened) => {
    const request = indexedDB.open("filler", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("stuff", { autoIncrement: true });
    request.onsuccess = () => opened(request.result);
  });
  const change = (run) => new Promise((done) => {
    const transaction = database.transaction("stuff", "readwrite");
    run(transaction.objectStore("stuff"));
    transaction.oncomplete = () => done(true);
    transaction.onabort = () => done(false);
  });
  globalThis.fill = async () => {
    for (const size of [20_000, 2_000, 100]) {
      while (await change((store) => store.put(crypto.getRandomValues(new Uint8Array(size)))));
    }
  };
  globalThis.clear = () => change((store) => store.clear());
})()`;

/** A room that a page is in, whose network can be away and whose storage can be full. */
async function join(room: string) {
  const { browser, worker, open } = stage;
  let port = worker.port;
  const proxy = await openTcpProxy(() => port);
  const context = await browser.newContext({ permissions: ["local-network-access"] });
  const errors: string[] = [];
  context.on("weberror", (error) => errors.push(error.error().message));
  const enter = async (): Promise<Page> => {
    const page = await open(context, `${proxy.origin}/page`);
    await page.evaluate(SMALL_STORAGE);
    await page.evaluate(`globalThis.seen = joinDurably("${room}", "ann"); undefined`);
    return page;
  };
  const page = await enter();
  await page.evaluate("seen.room.join()");
  const kept = async (unkept: number, size: number): Promise<void> => {
    const look = `[seen.storage.unkept.get(), seen.room.outbox.size.get()].join()`;
    await until(
      `${unkept} of ${size} to be kept by the page only`,
      async () => (await page.evaluate(look)) === `${unkept},${size}`,
      () => errors.join(" "),
    );
  };
  return {
    page,
    enter,
    errors,
    kept,
    say: async (text: string): Promise<void> => {
      await page.evaluate(`seen.say("${text}")`);
    },
    fill: async (): Promise<void> => {
      await page.evaluate("fill()");
    },
    clear: async (): Promise<void> => {
      await page.evaluate("clear()");
    },
    cut: () => {
      port = NO_PORT;
      proxy.cut();
    },
    mend: () => {
      port = worker.port;
    },
    async [Symbol.asyncDispose]() {
      await context.close();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

test("[W5] the storage is full while messages wait: they say that they are not kept, and are as soon as there is room", async () => {
  await using room = await join("full");
  room.cut();
  await room.say("one");
  await room.kept(0, 1);
  await room.fill();
  await room.say("two");
  await room.say("three");
  await room.kept(2, 3);
  // As any error that nobody has caught, once.
  expect(room.errors).toEqual([expect.stringMatching(/Sluice's outbox .*quota.* `unkept`/is)]);
  await room.clear();
  await room.say("four");
  await room.kept(0, 4);
  expect(room.errors.length).toBe(1);
  await room.page.close();
  room.mend();
  const next = await room.enter();
  await next.evaluate("seen.room.join().then(() => seen.room.outbox.drained())");
  expect(await stage.messages("full")).toEqual(["one", "two", "three", "four"]);
});

test("[W5] the storage is full, the network is not gone: what is said is sent once and in order", async () => {
  await using room = await join("full-live");
  await room.fill();
  for (const text of ["one", "two", "three"]) await room.say(text);
  await room.kept(0, 0);
  await until("all receipts", async () => (await room.page.evaluate("seen.sent.length")) === 3);
  await room.clear();
  await room.page.close();
  const next = await room.enter();
  await next.evaluate("seen.room.join().then(() => seen.room.outbox.drained())");
  expect(await stage.messages("full-live")).toEqual(["one", "two", "three"]);
});
