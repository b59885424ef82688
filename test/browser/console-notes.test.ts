/** The notes in the console's Room, in a real browser: several who write in one text, and a network that breaks. */
import axe from "axe-core";
import type { BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { expect, test } from "vitest";
import { openConsole } from "../support/console-page.ts";
import { stageConsole } from "../support/console-stage.ts";
import { startWorker } from "../support/start-worker.ts";
import { mint, SECRET } from "../support/tokens.ts";
import { until } from "../support/until.ts";

const stage = stageConsole();

const notes = (page: Page) => page.getByRole("textbox", { name: "Notes" });
const standing = (page: Page) => page.locator("#notes-state");
const network = (page: Page) => page.getByRole("switch", { name: "Network" });
const textOf = async (page: Page): Promise<string> => await notes(page).inputValue();
/** Text of a script, because these types know no DOM: `field` is the field. */
const inField = async <T>(page: Page, script: string): Promise<T> =>
  await page.evaluate<T>(`((field) => ${script})(document.querySelector("#notes"))`);
const selectionOf = async (page: Page): Promise<unknown> =>
  await inField(page, "[field.selectionStart, field.selectionEnd]");

/** Somebody in a browser of their own, where the notes are loaded. */
async function enter(
  room: string,
  member: string,
  options: BrowserContextOptions = {},
): Promise<[Page, BrowserContext]> {
  const context = await stage.browser.newContext(options);
  await context.addInitScript(`
    sessionStorage.setItem("sluice.room", "${room}");
    sessionStorage.setItem("sluice.member", "${member}");
  `);
  const { page } = await openConsole(context, stage.worker.origin, "room");
  await standing(page).getByText("Saved").waitFor();
  return [page, context];
}

/** Waits until all have this text, and it is stored. */
async function allRead(pages: readonly Page[], text: string): Promise<void> {
  for (const page of pages) {
    let seen = "";
    await until(
      "the text to be everybody's",
      async () => {
        seen = await textOf(page);
        return seen === text;
      },
      () => JSON.stringify(seen),
    );
    await standing(page).getByText("Saved").waitFor();
  }
}

/** Puts the caret somewhere, or selects. */
async function select(page: Page, from: number, to = from): Promise<void> {
  await notes(page).focus();
  await inField(page, `field.setSelectionRange(${from}, ${to})`);
}

/** What stands before somebody's caret, as another one sees it, where its layer has the lines of the field. */
async function seenCaret(page: Page, member: string): Promise<string | undefined> {
  return await page.evaluate<string | undefined>(`(() => {
    const layer = document.querySelector(".caret-layer");
    const field = document.querySelector("#notes");
    const caret = layer?.querySelector('.caret[data-member="${member}"]');
    if (!caret) return undefined;
    if (layer.clientWidth !== field.clientWidth || layer.scrollTop !== field.scrollTop) return "not alike";
    const range = document.createRange();
    range.setStart(layer, 0);
    range.setEndBefore(caret);
    const copy = range.cloneContents();
    for (const other of copy.querySelectorAll(".caret")) other.remove();
    return copy.textContent.trimStart();
  })()`);
}

async function awaitCaret(page: Page, member: string, before: string): Promise<void> {
  let seen: string | undefined;
  await until(
    `${member}'s caret to be seen`,
    async () => {
      seen = await seenCaret(page, member);
      return seen === before;
    },
    () => JSON.stringify(seen),
  );
}

test("[W7][W6] two people write at once, and both see the same text and each other's caret", async () => {
  const [ann] = await enter("notes-pair", "Ann");
  const [bob] = await enter("notes-pair", "Bob");
  await notes(ann).pressSequentially("one\ntwo\n");
  await allRead([bob], "one\ntwo\n");
  await awaitCaret(bob, "Ann", "one\ntwo\n");

  await select(ann, 3);
  await select(bob, 7);
  await Promise.all([
    notes(ann).pressSequentially(" from Ann 😴é", { delay: 5 }),
    notes(bob).pressSequentially(" from Bob 😀", { delay: 5 }),
  ]);
  await allRead([ann, bob], "one from Ann 😴é\ntwo from Bob 😀\n");
  await awaitCaret(bob, "Ann", "one from Ann 😴é");
  await awaitCaret(ann, "Bob", "one from Ann 😴é\ntwo from Bob 😀");

  // A selection has its colour, its head its name.
  await select(bob, 0, 3);
  await awaitCaret(ann, "Bob", "one");
  expect(await ann.locator(".caret-layer .selected").allTextContents()).toEqual(["one"]);
  expect(await ann.locator(".caret .flag").allTextContents()).toEqual(["Bob"]);
  // Who goes elsewhere has no caret.
  await bob.getByLabel("Say something").focus();
  await until("it is gone", async () => (await ann.locator(".caret").count()) === 0);
});

test("[W7] two who type at the same place both keep their words together", async () => {
  const [ann] = await enter("notes-same", "Ann");
  const [bob] = await enter("notes-same", "Bob");
  // Who comes into the field later stands behind what is there by then, and not at the same place.
  for (const page of [ann, bob]) await notes(page).focus();
  await Promise.all([
    notes(ann).pressSequentially("aaaaaaaaaaaaaaaaaaaa"),
    notes(bob).pressSequentially("bbbbbbbbbbbbbbbbbbbb"),
  ]);
  await until("both have all", async () => {
    const [one, other] = await Promise.all([textOf(ann), textOf(bob)]);
    return one.length === 40 && one === other;
  });
  expect(["a".repeat(20) + "b".repeat(20), "b".repeat(20) + "a".repeat(20)]).toContain(
    await textOf(ann),
  );
});

test("[W7] what others write moves neither the selection nor the lines that are read", async () => {
  const [ann] = await enter("notes-place", "Ann");
  const [bob] = await enter("notes-place", "Bob");
  const lines = Array.from({ length: 60 }, (_, n) => `line ${n}`).join("\n");
  await notes(ann).fill(lines);
  await allRead([bob], lines);
  await select(ann, 0, 4);
  await inField(ann, "field.scrollTop = 200");
  await select(bob, lines.length);
  await notes(bob).pressSequentially("!");
  await allRead([ann], `${lines}!`);
  expect(await selectionOf(ann)).toEqual([0, 4]);
  expect(await inField(ann, "field.scrollTop")).toBe(200);
  await awaitCaret(ann, "Bob", `${lines}!`);
  await select(bob, 0);
  await notes(bob).pressSequentially("x");
  await allRead([ann], `x${lines}!`);
  expect(await selectionOf(ann)).toEqual([1, 5]);
});

test("[W7] what is being composed is not disturbed by what others write meanwhile, and goes to them", async () => {
  const [ann, anns] = await enter("notes-compose", "Ann");
  const [bob] = await enter("notes-compose", "Bob");
  await notes(ann).pressSequentially("a  z");
  await allRead([bob], "a  z");
  await select(ann, 2);
  const session = await anns.newCDPSession(ann);
  const compose = async (text: string): Promise<void> => {
    const at = text.length;
    await session.send("Input.imeSetComposition", { text, selectionStart: at, selectionEnd: at });
  };
  await compose("に");
  await allRead([bob], "a に z");
  await select(bob, 0);
  await notes(bob).pressSequentially("<");
  await select(bob, (await textOf(bob)).length);
  await notes(bob).pressSequentially(">");
  await allRead([bob], "<a に z>");
  await compose("にほ");
  await compose("日本");
  await allRead([bob], "<a 日本 z>");
  expect(await textOf(ann)).toBe("a 日本 z");
  await session.send("Input.insertText", { text: "日本" });
  await allRead([ann, bob], "<a 日本 z>");
  await notes(ann).pressSequentially("!");
  await allRead([ann, bob], "<a 日本! z>");
});

test("[W7][W5] what one writes without a network is there for the other when it is back, also after a reload", async () => {
  const [ann] = await enter("notes-offline", "Ann");
  const [bob] = await enter("notes-offline", "Bob");
  await notes(ann).pressSequentially("[]");
  await allRead([ann, bob], "[]");
  await network(ann).click();
  await standing(ann).getByText("Offline").waitFor();
  await select(ann, 1);
  await notes(ann).pressSequentially("in a tunnel");
  await select(bob, 2);
  await notes(bob).pressSequentially(" outside");
  await standing(bob).getByText("Saved").waitFor();
  expect(await textOf(ann)).toBe("[in a tunnel]");
  await network(ann).click();
  await allRead([ann, bob], "[in a tunnel] outside");

  await network(ann).click();
  await standing(ann).getByText("Offline").waitFor();
  await notes(ann).press("Control+End");
  await notes(ann).pressSequentially(", kept");
  // The page comes back with a network of its own.
  await ann.reload();
  await allRead([ann, bob], "[in a tunnel] outside, kept");
});

test("[W7] a reload keeps the notes, and they are there for who comes later", async () => {
  const [ann, anns] = await enter("notes-reload", "Ann");
  await notes(ann).fill("kept");
  await allRead([ann], "kept");
  await ann.reload();
  await allRead([ann], "kept");
  await anns.close();
  const [bob] = await enter("notes-reload", "Bob");
  await allRead([bob], "kept");
  // The same field, and other notes.
  await bob.getByRole("textbox", { name: "Room" }).fill("notes-reload-2");
  await bob.getByRole("button", { name: "Change" }).click();
  await allRead([bob], "");
});

/** More often than there is anything to undo: how much is one step depends on how fast it was typed. */
async function pressOften(page: Page, key: string): Promise<void> {
  for (let presses = 0; presses < 5; presses += 1) await notes(page).press(key);
}

test("[W7] undo takes back only what one has written oneself, and redo brings it again", async () => {
  const [ann] = await enter("notes-undo", "Ann");
  const [bob] = await enter("notes-undo", "Bob");
  await notes(ann).pressSequentially("Ann");
  await allRead([bob], "Ann");
  await select(bob, 0);
  await notes(bob).pressSequentially("Bob ");
  await allRead([ann], "Bob Ann");
  await pressOften(ann, "Control+z");
  await allRead([ann, bob], "Bob ");
  await pressOften(ann, "Control+Shift+Z");
  await allRead([ann, bob], "Bob Ann");
  expect(await selectionOf(ann)).toEqual([7, 7]);
  await pressOften(ann, "Control+z");
  await allRead([ann, bob], "Bob ");
  await pressOften(ann, "Control+y");
  await allRead([ann, bob], "Bob Ann");
  await pressOften(bob, "Control+z");
  await allRead([ann, bob], "Ann");
});

test("[W7][S4] who may not read the document reads why, and cannot write", async () => {
  await using guarded = await startWorker({ AUTH_SECRET: SECRET });
  const token = await mint({ "rooms/**": ["read", "publish", "presence"] });
  const context = await stage.browser.newContext();
  await context.addInitScript(`sessionStorage.setItem("sluice.token", "${token}");`);
  const { page } = await openConsole(context, guarded.origin, "room");
  await standing(page).getByText("Read only: ").waitFor();
  expect(await notes(page).getAttribute("readonly")).not.toBeNull();
  await notes(page).focus();
  await page.keyboard.type("no");
  expect(await textOf(page)).toBe("");
});

test("[E1] what the notes need comes when the Room is shown, and not before", async () => {
  const context = await stage.browser.newContext();
  const asked: string[] = [];
  context.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const { page } = await openConsole(context, stage.worker.origin, "chat");
  await page.waitForLoadState("networkidle");
  const hasNotebook = (): boolean => asked.some((path) => path.startsWith("/lib/notebook"));
  expect(hasNotebook()).toBe(false);
  await page.getByRole("tab", { name: "Room" }).click();
  await standing(page).getByText("Saved").waitFor();
  expect(hasNotebook()).toBe(true);
});

interface Findings {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly unknown[] }[];
}

test.each([
  { colorScheme: "light", viewport: { width: 1400, height: 800 } },
  { colorScheme: "dark", viewport: { width: 1400, height: 800 } },
  { colorScheme: "light", viewport: { width: 320, height: 568 } },
  { colorScheme: "dark", viewport: { width: 320, height: 568 } },
] as const)(
  "[E1] axe-core finds nothing in notes with carets, in $colorScheme, $viewport.width pixels wide",
  async ({ colorScheme, viewport }) => {
    const room = `notes-axe-${colorScheme}-${viewport.width}`;
    const [ann, anns] = await enter(room, "Ann", { colorScheme, viewport });
    const [bob, bobs] = await enter(room, "Wandering-Kingfisher-77");
    await notes(ann).fill(
      `${"many words ".repeat(8)}\nand_one_that_is_longer_than_a_line_${"x".repeat(80)}`,
    );
    await allRead([bob], await textOf(ann));
    await select(bob, 4, 30);
    await ann.locator(".caret .flag").waitFor();
    const { violations } = await ann.evaluate<Findings>(
      `${axe.source}; axe.run(document, { resultTypes: ["violations"] })`,
    );
    expect(violations.map(({ id, nodes }) => [id, nodes])).toEqual([]);
    const wide = await ann.evaluate(`
      [document.documentElement, ...document.querySelectorAll(".panel, .room, .room-body, .notes, .notes-field")]
        .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
        .map((element) => element.className || element.tagName)
    `);
    expect(wide).toEqual([]);
    const tops = await ann.evaluate<readonly number[]>(`
      [...document.querySelectorAll(".board, .notes, .people, .talk")]
        .map((part) => part.getBoundingClientRect())
        .flatMap(({ top, bottom, left }) => (left < 100 ? [top, bottom] : []))
    `);
    // None lies over another: in a narrow window they are below each other.
    expect(tops).toEqual(tops.toSorted((one, other) => one - other));
    // Long lines break in the layer where they break in the field.
    const heights = await ann.evaluate<readonly number[]>(
      `[...document.querySelectorAll(".caret-layer, #notes")].map(({ scrollHeight }) => scrollHeight)`,
    );
    expect(new Set(heights).size).toBe(1);
    await Promise.all([anns.close(), bobs.close()]);
  },
);
