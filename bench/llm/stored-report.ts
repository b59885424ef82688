/** Owns what is made of the measurements of stored answers. */
import { median } from "../support/statistics.ts";
import { figure, formatTable } from "../support/table.ts";
import { printTargets } from "../support/targets.ts";
import { type PeerName, STORED_PEER_NAMES } from "./peers.ts";
import type { Results } from "./report.ts";
import { CROWD_PROVIDER_MS } from "./stored.ts";

const RAW: PeerName = "raw passthrough";

/** Prints the tables and the targets of whatever was measured. */
export function printStoredReport(results: Results): void {
  const long = (name: PeerName, by: "ms" | "writes" | "rows"): readonly number[] =>
    results.get(name)?.long.map((run) => run[by]) ?? [];
  const slower = (name: PeerName): number =>
    median(long(name, "ms").map((ms, round) => ms / (long(RAW, "ms")[round] ?? Number.NaN)));

  if (long(RAW, "ms").length > 0) {
    console.log(
      formatTable(
        ["1,000 tokens at 50 a second", "s", "× raw", "parts", "rows written"],
        ([RAW, "Sluice", ...STORED_PEER_NAMES] as const).map((name) => [
          name,
          figure(median(long(name, "ms")) / 1000, 3),
          figure(slower(name), 4),
          figure(median(long(name, "writes")), 0),
          figure(median(long(name, "rows")), 0),
        ]),
      ),
    );
    console.log();
  }
  if (STORED_PEER_NAMES.some((name) => !Number.isNaN(failedIn(results, name)))) {
    console.log(
      formatTable(
        ["200 answers at once", "viewers", "failed", "s", "delay p50 ms", "p99 ms", "CPU s"],
        STORED_PEER_NAMES.map((name) => {
          const runs = results.get(name)?.crowd ?? [];
          return [
            name,
            figure(median(runs.map(({ viewers }) => viewers)), 0),
            figure(failedIn(results, name), 0),
            figure(median(runs.map(({ ms }) => ms)) / 1000, 2),
            figure(median(runs.map(({ delayP50 }) => delayP50)), 0),
            figure(median(runs.map(({ delayP99 }) => delayP99)), 0),
            figure(median(runs.map(({ cpuMs }) => cpuMs)) / 1000, 2),
          ];
        }),
      ),
    );
    console.log(`\nThe provider takes ${CROWD_PROVIDER_MS / 1000} s for each of the 200.\n`);
  }
  const first = (name: PeerName, by: "firstByteMs" | "thinkingMs"): number =>
    median(results.get(name)?.[by] ?? []) - median(results.get(RAW)?.[by] ?? []);
  for (const name of ["Sluice, stored", "Sluice, stored in memory"] as const) {
    const added = first(name, "firstByteMs");
    const thinking = first(name, "thinkingMs");
    const total = slower(name);
    const rows = median(long(name, "rows"));
    const failed = failedIn(results, name);
    printTargets(name, [
      ["first token − raw ≤ 5 ms, the provider answers at once", added, added <= 5],
      ["first token − raw ≤ 5 ms, it thinks first", thinking, thinking <= 5],
      ["total time of 1,000 tokens ÷ raw ≤ 1.02", total, total <= 1.02],
      ["rows written for 1,000 tokens ≤ 60", rows, rows <= 60],
      ["viewers of 200 answers that failed = 0", failed, failed === 0],
    ]);
  }
}

/** Viewers that failed in all rounds; `NaN` when there was none. */
function failedIn(results: Results, name: PeerName): number {
  const runs = results.get(name)?.crowd ?? [];
  return runs.length === 0 ? Number.NaN : runs.reduce((sum, { failed }) => sum + failed, 0);
}
