/**
 * Owns the peer made with nginx and its module nchan, where the machine has both: finding them, a
 * configuration of the least that is needed, and the process. Refuses to know what is published.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServingChild } from "../support/child.ts";

const MODULE = "ngx_nchan_module.so";
const FIRST_ANSWER_MS = 5_000;

/** The module's file, from `NCHAN_MODULE` or where nginx keeps its own; undefined where there is none. */
export function findNchan(): string | undefined {
  const { stderr, error } = spawnSync("nginx", ["-V"], { encoding: "utf8" });
  if (error !== undefined) return undefined;
  const folder = /--modules-path=(\S+)/.exec(stderr)?.[1] ?? "";
  const file = process.env["NCHAN_MODULE"] ?? `${folder}/${MODULE}`;
  return existsSync(file) ? file : undefined;
}

/** Starts nginx with one process, as a Worker and Node have one. */
export async function startNchan(module: string): Promise<ServingChild> {
  const folder = mkdtempSync(`${tmpdir()}/sluice-bench-nginx-`);
  const port = await findFreePort();
  const file = `${folder}/nginx.conf`;
  writeFileSync(file, configuration({ module, folder, port }));
  const child = spawn("nginx", ["-p", folder, "-c", file, "-e", "stderr"], { stdio: "inherit" });
  const { pid } = child;
  try {
    await listens(port);
  } catch (error) {
    child.kill();
    throw error;
  }
  return {
    port,
    pid,
    [Symbol.dispose]() {
      // Nothing of it is to be kept, and asked politely it does not always end well.
      child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Place {
  readonly module: string;
  readonly folder: string;
  readonly port: number;
}

function configuration({ module, folder, port }: Place): string {
  const subscriber = (from: string, first: string): string => `
    location ~ ^/${from}/(.+)$ {
      nchan_subscriber eventsource;
      nchan_channel_id $1;
      nchan_subscriber_first_message ${first};
    }`;
  return `
load_module ${module};
daemon off;
master_process off;
worker_rlimit_nofile 16384;
pid ${folder}/pid;
error_log stderr crit;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_requests 1000000;
  nchan_shared_memory_size 128m;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    ${subscriber("now", "newest")}
    ${subscriber("start", "oldest")}
    location ~ ^/publish/(.+)$ {
      nchan_publisher;
      nchan_channel_id $1;
      nchan_message_buffer_length 1000;
      nchan_message_timeout 1h;
    }
  }
}
`;
}

/** nginx has to be told a port. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (typeof address !== "object" || address === null) throw new Error("No port was given.");
  return address.port;
}

async function listens(port: number): Promise<void> {
  for (let ms = 0; ms < FIRST_ANSWER_MS; ms += 50) {
    const socket = connect({ host: "127.0.0.1", port });
    try {
      await once(socket, "connect");
      return;
    } catch {
      await sleep(50);
    } finally {
      socket.destroy();
    }
  }
  throw new Error("nginx did not start.");
}
