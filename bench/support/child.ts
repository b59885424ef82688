/** Owns a helper process of a benchmark that prints its port. Refuses to know what it serves. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A process that serves on a port until it is disposed of. */
export interface ServingChild extends Disposable {
  readonly port: number;
  readonly pid: number | undefined;
}

/**
 * Starts a module as a process and waits for the port in its first line.
 *
 * @param env variables that it gets besides ours.
 */
export async function startServing(
  module: URL,
  env: Readonly<Record<string, string>> = {},
): Promise<ServingChild> {
  const child = spawn(process.execPath, [fileURLToPath(module)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return {
    port: Number(line),
    pid: child.pid,
    [Symbol.dispose]() {
      child.kill();
    },
  };
}
