/**
 * Owns the workerd process in which peers are measured side by side: each a Worker with a socket of
 * its own, none behind another. Refuses to know what they do.
 */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Log, LogLevel, Miniflare } from "miniflare";
import { findChildren } from "./cpu.ts";

/** A Worker to be measured. */
export interface WorkerSource {
  readonly name: string;
  /** The module that exports it, from the repository's root. */
  readonly entry: string;
  readonly vars: Readonly<Record<string, string>>;
  /** Durable Objects with a database: the binding's name, and the class that the module exports. */
  readonly objects?: Readonly<Record<string, string>>;
}

/** Workers that run. */
export interface RunningWorkers extends AsyncDisposable {
  /** Where a Worker listens. */
  readonly address: (name: string) => URL;
  /** The workerd process; undefined where it cannot be told. */
  readonly pid: number | undefined;
  /** The inspector's address of a Worker. */
  readonly inspector: (name: string) => Promise<URL>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const COMPATIBILITY = {
  compatibilityDate: "2026-10-23",
  compatibilityFlags: ["enable_request_signal"],
};

/**
 * Bundles the Workers as a deployment does and starts them, all in one process.
 *
 * @param storage folder for what objects store; left out, a temporary one.
 */
export async function startWorkers(
  sources: readonly WorkerSource[],
  storage?: string,
): Promise<RunningWorkers> {
  const others = findChildren("workerd");
  const workers = await Promise.all(
    sources.map(async ({ name, entry, vars, objects = {} }) => ({
      config: {
        name,
        ...COMPATIBILITY,
        manifest: {
          mainModule: "index.js",
          modulesRoot: ROOT,
          modules: { "index.js": { type: "esm" as const, contents: await bundle(entry) } },
        },
        env: {
          ...mapValues(vars, (value) => ({ type: "text" as const, value })),
          ...mapValues(objects, (exportName) => ({
            type: "durable-object" as const,
            worker: name,
            exportName,
          })),
        },
        exports: Object.fromEntries(
          Object.values(objects).map((exportName) => [
            exportName,
            { type: "durable-object" as const, storage: "sqlite" as const },
          ]),
        ),
      },
      dev: { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] },
    })),
  );
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    inspectorPort: 0,
    cf: false,
    log: new Log(LogLevel.ERROR),
    // A line for every answer would bury the tables.
    handleStructuredLogs: ({ level, message }) => {
      if (level === "error") console.error(message);
    },
    telemetry: { enabled: false },
    ...(storage === undefined ? {} : { resourcePersistencePath: storage }),
    workers,
  });
  await miniflare.ready;
  const addresses = new Map<string, URL>();
  for (const { name } of sources) addresses.set(name, await miniflare.unsafeGetDirectURL(name));
  return {
    address(name) {
      const address = addresses.get(name);
      if (address === undefined) throw new Error(`No Worker is called ${name}.`);
      return address;
    },
    pid: findChildren("workerd").find((pid) => !others.includes(pid)),
    inspector: async (name) => new URL(`/core:user:${name}`, await miniflare.getInspectorURL()),
    [Symbol.asyncDispose]: () => miniflare.dispose(),
  };
}

function mapValues<T>(
  record: Readonly<Record<string, string>>,
  map: (value: string) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

/** With the options that wrangler gives to esbuild. */
async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    supported: { using: true },
    // Built into the runtime.
    external: ["cloudflare:*", "node:*"],
    conditions: ["workerd", "worker", "browser"],
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "error",
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`Nothing came out of bundling ${entry}.`);
  return output.text;
}
