/**
 * Owns `wrangler dev` as a developer runs it, in a group of processes of its own that can be killed
 * without a warning. Refuses to know what is asked of it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { until } from "./until.ts";

/** Milliseconds that building and starting may take on two slow cores. */
const START_MS = 45_000;

/** A server that can be killed. */
export interface DevServer extends AsyncDisposable {
  readonly origin: string;
  /** Ends all its processes with SIGKILL: nothing in them runs any more. */
  kill(): Promise<void>;
}

/** Starts it with its storage in a directory; resolves when it answers. */
export async function startDevServer(
  persistTo: string,
  vars: Readonly<Record<string, string>>,
): Promise<DevServer> {
  const port = await findFreePort();
  const args = Object.entries({
    "--ip": "127.0.0.1",
    "--port": String(port),
    "--inspector-port": String(await findFreePort()),
    "--persist-to": persistTo,
    "--log-level": "error",
    // What a developer keeps in `.dev.vars` does not count.
    "--env-file": "/dev/null",
    "--show-interactive-dev-session": "false",
  }).flat();
  for (const [name, value] of Object.entries(vars)) args.push("--var", `${name}:${value}`);
  const child = spawn(process.execPath, ["node_modules/wrangler/bin/wrangler.js", "dev", ...args], {
    detached: true,
    stdio: "ignore",
  });
  const exited = once(child, "exit");
  const kill = async (): Promise<void> => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    process.kill(-child.pid, "SIGKILL");
    await exited;
  };
  const origin = `http://127.0.0.1:${port}`;
  try {
    await until("wrangler dev answers", () => isUp(origin), START_MS);
  } catch (error) {
    await kill();
    throw error;
  }
  return { origin, kill, [Symbol.asyncDispose]: kill };
}

async function isUp(origin: string): Promise<boolean> {
  try {
    return (await fetch(`${origin}/healthz`)).ok;
  } catch {
    return false;
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
