// Installs what the lock file says when it is not there yet, so that one command is enough on a
// fresh machine. Runs on any Node from 20 on; everything after it runs on the Node that it installs.
// Takes the folders whose packages are needed; without any, the project's own.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const npm = (args, options) =>
  spawnSync("npm", args, { ...options, shell: process.platform === "win32" }).status === 0;

const folders = process.argv.slice(2);
for (const cwd of folders.length === 0 ? ["."] : folders) {
  const satisfied =
    existsSync(`${cwd}/node_modules`) && npm(["ls", "--all"], { cwd, stdio: "ignore" });
  if (satisfied) continue;
  console.log("Installing dependencies (once)…");
  const args = ["ci", "--no-fund", "--no-audit", "--loglevel=error"];
  if (!npm(args, { cwd, stdio: "inherit" })) process.exit(1);
}
