// Holds what applications download of the client against a budget: bundled as they would do it from the
// built package, with what it depends on, minified and compressed.
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

const PACKAGE = fileURLToPath(new URL("../dist/package/client", import.meta.url));

/** Bytes. */
const BUDGETS = [
  { what: "topics", bytes: 6_440, code: `export { openTopic } from "./topic/index.js";` },
  {
    what: "topics and answers",
    bytes: 7_650,
    code: `export { openTopic } from "./topic/index.js";
      export { resumeChat, startChat } from "./chat/index.js";`,
  },
  { what: "rooms", bytes: 9_570, code: `export { openRoom } from "./room/index.js";` },
  { what: "everything", bytes: 14_040, code: `export * from "./index.js";` },
];

/** Leaves out what is loaded by a page that shares its connections with other tabs. */
const onlyAtOnce = {
  name: "only-at-once",
  setup({ onResolve }) {
    onResolve({ filter: /\/tabs\// }, ({ path, kind }) =>
      kind === "dynamic-import" ? { path, external: true } : undefined,
    );
  },
};

async function sizeOf(code, plugins) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: PACKAGE },
    plugins,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
    logLevel: "warning",
  });
  return brotliCompressSync(outputFiles[0].contents).length;
}

let isOver = false;
for (const { what, bytes, code } of BUDGETS) {
  const size = await sizeOf(code, [onlyAtOnce]);
  const whole = await sizeOf(code, []);
  console.log(
    `Client, ${what}: ${size} bytes minified and brotli (budget ${bytes}); with what tabs share by: ${whole}`,
  );
  if (size > bytes) isOver = true;
}
if (isOver) process.exit(1);
