// Installs what the lock file says when it is not there yet, so that one command is enough on a
// fresh machine. Runs on any Node from 20 on; everything after it runs on the Node that it installs.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const npm = (args, stdio) =>
  spawnSync("npm", args, { stdio, shell: process.platform === "win32" }).status === 0;

const satisfied = existsSync("node_modules") && npm(["ls", "--all"], "ignore");
if (!satisfied) {
  console.log("Installing dependencies (once)…");
  if (!npm(["ci", "--no-fund", "--no-audit", "--loglevel=error"], "inherit")) process.exit(1);
}
