// Holds what applications download of the client against a budget: bundled as they would do it from the
// built package, with what it depends on, minified and compressed.
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

const PACKAGE = fileURLToPath(new URL("../dist/package/client", import.meta.url));

/** Bytes. */
const BUDGETS = [
  { what: "topics", bytes: 6_700, code: `export { openTopic } from "./topic/index.js";` },
  {
    what: "topics and answers",
    bytes: 7_950,
    code: `export { openTopic } from "./topic/index.js";
      export { resumeChat, startChat } from "./chat/index.js";`,
  },
  { what: "rooms", bytes: 9_700, code: `export { openRoom } from "./room/index.js";` },
  { what: "everything", bytes: 14_336, code: `export * from "./index.js";` },
];

let isOver = false;
for (const { what, bytes, code } of BUDGETS) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: PACKAGE },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
    logLevel: "warning",
  });
  const size = brotliCompressSync(outputFiles[0].contents).length;
  console.log(`Client, ${what}: ${size} bytes minified and brotli (budget ${bytes})`);
  if (size > bytes) isOver = true;
}
if (isOver) process.exit(1);
