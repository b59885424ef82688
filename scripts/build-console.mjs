/**
 * Makes what the console imports: `public/lib/*.js`, the packages and the client that its import map
 * names, each a module of its own that shares code with the others. The console's own modules are
 * served as they are. Wrangler runs it before it serves, deploys or bundles; it may run several times
 * at once, and writes only what has changed.
 */
import { build } from "esbuild";
import { randomUUID } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TARGET = `${ROOT}public/lib`;

/** Module under /lib/ to where it comes from; the import map of index.html names the same. */
const MODULES = {
  preact: "preact",
  "preact-hooks": "preact/hooks",
  signals: "@preact/signals",
  htm: "htm",
  uplot: "uplot",
  msgpack: "@msgpack/msgpack",
  "eventsource-parser": "eventsource-parser",
  client: "./src/client/index.ts",
  frames: "./src/protocol/frames.ts",
};

const { outputFiles } = await build({
  absWorkingDir: ROOT,
  entryPoints: Object.entries(MODULES).map(([name, path]) => ({ in: path, out: name })),
  outdir: TARGET,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "inline",
  chunkNames: "shared-[hash]",
  write: false,
});
const files = new Map(
  outputFiles.map(({ path, contents }) => [path.slice(TARGET.length + 1), contents]),
);
files.set("uplot.css", await readFile(`${ROOT}node_modules/uplot/dist/uPlot.min.css`));

await mkdir(TARGET, { recursive: true });
for (const [name, contents] of files) {
  const path = `${TARGET}/${name}`;
  const before = await readFile(path).catch(() => undefined);
  if (before !== undefined && Buffer.compare(before, contents) === 0) continue;
  // Whoever reads it meanwhile gets the old one or the new one, never a part.
  const scratch = `${TARGET}/.${randomUUID()}`;
  await writeFile(scratch, contents);
  await rename(scratch, path);
}
for (const name of await readdir(TARGET)) {
  if (!files.has(name) && !name.startsWith(".")) await rm(`${TARGET}/${name}`, { force: true });
}
