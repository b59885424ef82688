// Takes the pictures of the README from a running server: node scripts/take-screenshots.mjs http://localhost:8787
// (a fresh one: `wrangler dev --persist-to` an empty folder). In each the console has been used for a while, by several people where there is something to share.
import chromium from "@sparticuz/chromium";
import { mkdir, writeFile } from "node:fs/promises";
import { chromium as playwright } from "playwright-core";

const [origin = "http://localhost:8787"] = process.argv.slice(2);
const TARGET = "docs/images";
/** Nobody has been there yet, if the server is a fresh one. */
const PLACES = {
  light: { room: "harbour", topic: "river" },
  dark: { room: "quay", topic: "canal" },
};
const VIEWPORT = { width: 1280, height: 800 };

const browser = await playwright.launch({
  executablePath: await chromium.executablePath(),
  args: ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader"],
  env: { ...process.env, LANG: "en_US.UTF-8", LC_ALL: "en_US.UTF-8" },
});

async function open(scheme, panel, member) {
  const context = await browser.newContext({
    colorScheme: scheme,
    viewport: VIEWPORT,
    // The names at carets stay.
    reducedMotion: "reduce",
  });
  if (member !== undefined) {
    await context.addInitScript(`
      sessionStorage.setItem("sluice.member", "${member}");
      sessionStorage.setItem("sluice.room", "${PLACES[scheme].room}");
      sessionStorage.setItem("sluice.topic", "${PLACES[scheme].topic}");
    `);
  }
  // Enough of a chart in a few seconds.
  await context.route("**/v1/feeds/demo", (route) =>
    route.continue({ postData: JSON.stringify({ ticks: 300, tickMs: 50 }) }),
  );
  const page = await context.newPage();
  await page.goto(`${origin}/#${panel}`);
  await page.getByRole("tablist").waitFor();
  return page;
}

const scenes = {
  async chat(scheme) {
    const page = await open(scheme, "chat");
    await page.getByLabel("Demo").selectOption("demo-reasoning");
    await page.getByRole("button", { name: "What if I reload halfway?" }).click();
    await page.getByText("tokens").first().waitFor();
    return page;
  },
  async topics(scheme) {
    const page = await open(scheme, "topics", "Ann");
    for (const [event, data] of [
      ["gate", '{"open": 0.4, "by": "Ann"}'],
      ["level", '{"metres": 2.13}'],
      ["gate", '{"open": 0.6, "by": "Bob"}'],
      ["level", '{"metres": 2.08}'],
    ]) {
      await page.getByLabel("Event", { exact: true }).fill(event);
      await page.getByLabel("Data", { exact: true }).fill(data);
      await page.getByRole("button", { name: "Publish" }).click();
    }
    await page.getByRole("button", { name: "Start a feed" }).click();
    await page.getByRole("button", { name: "Start a job" }).click();
    await page.getByText("Step 6 of 8").waitFor();
    return page;
  },
  async room(scheme) {
    const ann = await open(scheme, "room", "Ann");
    const others = await Promise.all(
      ["Bob", "Cleo"].map(async (member) => await open(scheme, "room", member)),
    );
    const [bob, cleo] = others;
    const say = async (page, text) => {
      await page.getByLabel("Say something").fill(text);
      await page.keyboard.press("Enter");
      await ann.getByRole("log").getByText(text).waitFor();
    };
    await say(bob, "Is the gate open?");
    await say(cleo, "Since six. Nobody noticed the restart at seven.");
    await say(ann, "Nothing lost, nothing twice.");
    await say(bob, "I was in a tunnel meanwhile 😴");
    const notes = (page) => page.getByRole("textbox", { name: "Notes" });
    const caretAfter = async (page, text, selected = 0) => {
      await notes(page).focus();
      await notes(page).evaluate(
        (field, [text, selected]) => {
          const at = field.value.indexOf(text) + text.length;
          field.setSelectionRange(at - selected, at);
        },
        [text, selected],
      );
    };
    await notes(ann).fill(
      "Gate log\n\n06:00 opened to 0.4\n06:55 level 2.13 m\n07:00 restart, nobody noticed\n07:30 ",
    );
    await bob.waitForFunction(() => document.querySelector("#notes").value.endsWith("07:30 "));
    await caretAfter(bob, "2.13 m");
    await cleo.waitForFunction(() => document.querySelector("#notes").value.endsWith("07:30 "));
    await caretAfter(cleo, "nobody noticed", 14);
    for (const [page, x, y] of [
      [bob, 0.22, 0.2],
      [cleo, 0.55, 0.52],
    ]) {
      const box = await page.locator(".board").boundingBox();
      await page.mouse.move(box.x + box.width * x, box.y + box.height * y, { steps: 3 });
    }
    await ann.locator(".pointer").nth(1).waitFor();
    await ann.locator(".caret").nth(1).waitFor({ state: "attached" });
    return ann;
  },
};

/** A third of the size. */
async function toWebp(png) {
  const page = await browser.newPage();
  const url = await page.evaluate(
    async (source) => {
      const image = new Image();
      image.src = source;
      await image.decode();
      const canvas = new OffscreenCanvas(image.width, image.height);
      canvas.getContext("2d").drawImage(image, 0, 0);
      const blob = await canvas.convertToBlob({ type: "image/webp", quality: 0.86 });
      return await new Promise((resolve) => {
        const reader = new FileReader();
        reader.addEventListener("load", () => resolve(reader.result));
        reader.readAsDataURL(blob);
      });
    },
    `data:image/png;base64,${png.toString("base64")}`,
  );
  await page.close();
  return Buffer.from(url.split(",")[1], "base64");
}

await mkdir(TARGET, { recursive: true });
for (const scheme of ["light", "dark"]) {
  for (const [name, play] of Object.entries(scenes)) {
    const page = await play(scheme);
    const png = await page.screenshot({ animations: "disabled" });
    await writeFile(`${TARGET}/${name}-${scheme}.webp`, await toWebp(png));
  }
}
await browser.close();
