/**
 * Makes the page at /: `public/lib/console.js` and `console.css` from the modules in public/console and
 * public/css, their packages and the client. The library of the chart is a file of its own, loaded when
 * there is a chart. Wrangler runs this before it serves, deploys or bundles; it may run several times at
 * once, and writes only what has changed.
 */
import { build } from "esbuild";
import { randomUUID } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TARGET = `${ROOT}public/lib`;

const { outputFiles } = await build({
  absWorkingDir: ROOT,
  entryPoints: [
    { in: "public/console/main.js", out: "console" },
    { in: "public/css/console.css", out: "console" },
  ],
  alias: {
    "sluice/client/indexed-db": "./src/client/outbox/indexed-db.ts",
    "sluice/client": "./src/client/index.ts",
    "sluice/yjs": "./src/client/yjs/index.ts",
    "sluice/frames": "./src/protocol/frames.ts",
    "sluice/parse-server-frame": "./src/protocol/parse-server-frame.ts",
  },
  outdir: TARGET,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  // The modules themselves are served too: a debugger finds them there.
  sourcemap: "linked",
  sourcesContent: false,
  chunkNames: "[name]-[hash]",
  write: false,
});

await mkdir(TARGET, { recursive: true });
for (const { path, contents } of outputFiles) {
  const before = await readFile(path).catch(() => undefined);
  if (before !== undefined && Buffer.compare(before, contents) === 0) continue;
  // Whoever reads it meanwhile gets the old one or the new one, never a part.
  const scratch = `${TARGET}/.${randomUUID()}`;
  await writeFile(scratch, contents);
  await rename(scratch, path);
}
const made = new Set(outputFiles.map(({ path }) => path.slice(TARGET.length + 1)));
for (const name of await readdir(TARGET)) {
  if (!made.has(name) && !name.startsWith(".")) await rm(`${TARGET}/${name}`, { force: true });
}
