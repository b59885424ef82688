/**
 * Owns the Redis that a peer needs: the one at `REDIS_URL`, or a `redis-server` from the PATH that
 * keeps everything in memory. Refuses to know what is stored in it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** A Redis that can be used until it is disposed of. */
export interface Redis extends Disposable {
  readonly url: string;
  /** Of the process that was started for this; undefined for somebody else's. */
  readonly pid: number | undefined;
}

/** Finds or starts a Redis; undefined where there is none. */
export async function findRedis(): Promise<Redis | undefined> {
  const url = process.env["REDIS_URL"];
  if (url !== undefined) return { url, pid: undefined, [Symbol.dispose]() {} };
  const port = await findFreePort();
  const child = spawn(
    "redis-server",
    ["--bind", "127.0.0.1", "--port", String(port), "--save", "", "--appendonly", "no"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  if (!(await hasStarted(child))) return undefined;
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: child.pid,
    [Symbol.dispose]() {
      child.kill();
    },
  };
}

/** Whether it says that it takes connections; false when there is no such program. */
function hasStarted(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    child.once("error", () => {
      resolve(false);
    });
    child.once("exit", () => {
      resolve(false);
    });
    // Read on after that: a full pipe would stop it.
    child.stdout?.on("data", (bytes: Buffer) => {
      if (bytes.includes("Ready to accept connections")) resolve(true);
    });
  });
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
