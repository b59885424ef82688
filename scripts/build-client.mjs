// Builds the package that applications install: dist/package, or the folder that is named, ready for `npm pack`. The Worker is not in
// it, so its package.json is made here and names what the client needs and nothing else.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);

const OUT = process.argv[2] ?? "dist/package";

/** What can be imported, and the module that is it. */
const ENTRIES = {
  client: "index",
  "client/topic": "topic/index",
  "client/room": "room/index",
  "client/chat": "chat/index",
  "client/indexed-db": "outbox/indexed-db",
  yjs: "yjs/index",
  "yjs/awareness": "yjs/awareness",
  react: "react/index",
  ai: "ai/index",
};

/** Oldest language that is written: what browsers of the last two years and all named runtimes read. */
const TARGET = "es2022";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const PARSER = "eventsource-parser";
const dependencies = { [PARSER]: `^${manifest.dependencies[PARSER]}` };

/** What applications bring themselves, if they use what is made for it, and the oldest version that will do. */
const PEERS = { ai: ">=7", react: ">=18", "y-protocols": ">=1.0.6", yjs: ">=13.6" };

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });

// A module each, so that bundlers leave out what is not used.
run("tsc", [
  "-p",
  "src/client/tsconfig.json",
  "--noEmit",
  "false",
  "--outDir",
  OUT,
  "--target",
  TARGET,
  "--declaration",
  "--stripInternal",
  "--sourceMap",
  "--inlineSources",
]);

// One file with everything, for pages without a build step.
await build({
  entryPoints: ["src/client/index.ts"],
  outfile: `${OUT}/client/bundle.min.js`,
  bundle: true,
  minify: true,
  format: "esm",
  target: TARGET,
  logLevel: "warning",
});

const exports = Object.fromEntries(
  Object.entries(ENTRIES).map(([path, module]) => [
    `./${path}`,
    { types: `./client/${module}.d.ts`, default: `./client/${module}.js` },
  ]),
);
const { name, version, license } = manifest;
writeFileSync(
  `${OUT}/package.json`,
  `${JSON.stringify(
    {
      name,
      version,
      description: "Client for Sluice: resumable LLM answers, durable event streams, rooms.",
      license,
      type: "module",
      sideEffects: false,
      engines: { node: ">=22" },
      exports: {
        ...exports,
        "./client/bundle": { types: "./client/index.d.ts", default: "./client/bundle.min.js" },
      },
      dependencies,
      peerDependencies: PEERS,
      peerDependenciesMeta: Object.fromEntries(
        Object.keys(PEERS).map((peer) => [peer, { optional: true }]),
      ),
    },
    undefined,
    2,
  )}\n`,
);
copyFileSync("LICENSE", `${OUT}/LICENSE`);
copyFileSync("docs/client.md", `${OUT}/README.md`);

function run(command, args) {
  const { status } = spawnSync(command, args, {
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exit(1);
}
