/**
 * Owns a running Worker: the real bundle with the settings of wrangler.toml in a workerd of its own,
 * on a real socket. Refuses to know what is tested.
 */
import { globSync, readFileSync } from "node:fs";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { readWorker } from "./build-worker.ts";
import { until } from "./until.ts";

/** What the Worker is called among those of its process. */
const NAME = "sluice";

/**
 * The port of a Worker that was killed: one to which nothing connects. What it had may be another's in a moment, and
 * whoever came back would be somebody else's guest.
 */
const NOBODYS_PORT = 9;

/** A Worker that serves until its scope is left. */
export interface RunningWorker extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly origin: string;
  readonly port: number;
  /** Everything the Worker and its runtime have logged so far, a line each. */
  readonly logs: readonly string[];
  /** Bytes of memory that the Worker's process holds now (Linux); 0 where that cannot be read. */
  residentBytes(): number;
  /** Puts an object to sleep: it leaves memory, and its sockets stay, as after some quiet seconds. */
  putToSleep(className: string, name: string): Promise<void>;
  /** Ends the Worker's process with SIGKILL, in the middle of whatever it does. */
  kill(): Promise<void>;
}

/** Where a Worker runs and what it keeps. */
export interface WorkerPlace {
  /** Folder of its storage, to be found again by a later Worker; left out, it goes with the Worker. */
  readonly storage?: string;
}

/**
 * Starts the Worker with these variables and no others: what a developer keeps in `.dev.vars` and
 * the `[vars]` of wrangler.toml do not count.
 */
export async function startWorker(
  vars: Readonly<Record<string, string>>,
  { storage }: WorkerPlace = {},
): Promise<RunningWorker> {
  const { script: contents, options } = await readWorker();
  const logs: string[] = [];
  const before = new Set(childPids());
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...(storage === undefined ? {} : { resourcePersistencePath: storage }),
      ...options,
      name: NAME,
      host: "127.0.0.1",
      port: 0,
      cf: false,
      handleStructuredLogs: ({ message }) => {
        logs.push(message);
      },
      bindings: { ...vars },
      modules: [{ type: "ESModule", path: "index.js", contents }],
    }),
  );
  const url = await miniflare.ready;
  const pid = childPids().find((candidate) => !before.has(candidate));
  let port = Number(url.port);
  return {
    get origin() {
      return `http://127.0.0.1:${port}`;
    },
    get port() {
      return port;
    },
    logs,
    residentBytes: () => (pid === undefined ? 0 : readResidentBytes(pid)),
    async putToSleep(className, name) {
      await miniflare.unsafeEvictDurableObject(NAME, className, { name, webSockets: "hibernate" });
    },
    async kill() {
      if (pid === undefined) throw new Error("The Worker's process was not found.");
      port = NOBODYS_PORT;
      process.kill(pid, "SIGKILL");
      await until("the killed process to be gone", () => !childPids().includes(pid));
    },
    [Symbol.asyncDispose]: () => miniflare.dispose(),
  };
}

function childPids(): number[] {
  return globSync("/proc/self/task/*/children")
    .flatMap((path) => readFileSync(path, "utf8").split(" "))
    .filter((text) => text !== "")
    .map(Number);
}

function readResidentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes ?? 0) * 1024;
}
