/**
 * Owns the choice of a benchmark from the command line. Refuses to know what any of them measures.
 *
 *     npm run bench -- llm [--rounds 21] [--only <scenario>] [--profile <peer>]
 */
import { parseArgs } from "node:util";
import type { Benchmark } from "./support/benchmark.ts";

/** Each is loaded when it is asked for: one may need what another does not. */
const BENCHMARKS: ReadonlyMap<string, () => Promise<Benchmark>> = new Map([
  ["llm", async () => (await import("./llm/benchmark.ts")).llmBenchmark],
]);

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "21" },
    only: { type: "string" },
    profile: { type: "string" },
  },
});
const load = BENCHMARKS.get(positionals[0] ?? "");
const rounds = Number(values.rounds);
if (load === undefined || !Number.isSafeInteger(rounds) || rounds < 1) {
  console.error(`Usage: npm run bench -- ${[...BENCHMARKS.keys()].join("|")} [--rounds N]`);
  process.exit(2);
}
const run = await load();
await run({ rounds, only: values.only, profile: values.profile });
