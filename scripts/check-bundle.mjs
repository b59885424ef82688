// Builds the Worker as a deploy would and holds its size against a budget.
import { spawnSync } from "node:child_process";

/** KiB, gzip. Start-up time grows with size; the platform's own limit is 3 MB on the free plan. */
const BUDGET_KIB = 255;

const { status, stdout, stderr } = spawnSync(
  "wrangler",
  ["deploy", "--dry-run", "--outdir", "dist"],
  {
    encoding: "utf8",
    shell: process.platform === "win32",
  },
);
const size = /gzip: ([\d.]+) KiB/.exec(stdout)?.[1];
if (status !== 0 || size === undefined) {
  console.error(stdout, stderr);
  process.exit(1);
}
console.log(`Worker bundle: ${size} KiB gzip (budget ${BUDGET_KIB} KiB)`);
if (Number(size) > BUDGET_KIB) process.exit(1);
