/**
 * Owns pages of the browser tests that are made of one script and a place for what it shows. Refuses to
 * know what the script does.
 */
import { build } from "esbuild";
import type { BrowserContext, Page } from "playwright-core";

/** Opens the page at some address below the origin. */
export type OpenPage = (context: BrowserContext, address: string) => Promise<Page>;

/** Bundles a script as an application would, and serves it as a page at any address of `/page`. */
export async function bundlePage(script: string, mode = "production"): Promise<OpenPage> {
  const built = await build({
    entryPoints: [script],
    bundle: true,
    write: false,
    define: { "process.env.NODE_ENV": JSON.stringify(mode) },
  });
  const code = built.outputFiles[0]?.text.replaceAll("</script", "<\\/script") ?? "";
  const body = `<!doctype html><div id="root"></div><script type="module">${code}</script>`;
  return async (context, address) => {
    const page = await context.newPage();
    await page.route("**/page*", async (route) => {
      await route.fulfill({ contentType: "text/html; charset=utf-8", body });
    });
    await page.goto(address);
    return page;
  };
}
