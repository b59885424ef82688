/**
 * Owns the choice of a benchmark from the command line. Refuses to know what any of them measures.
 *
 *     npm run bench -- llm|rooms|sse [--rounds N] [--only <scenario>] [--profile <peer>]
 */
import { parseArgs } from "node:util";
import type { Benchmark } from "./support/benchmark.ts";

/** Each is loaded when it is asked for: one may need what another does not. */
const BENCHMARKS: ReadonlyMap<
  string,
  { readonly rounds: number; readonly load: () => Promise<Benchmark> }
> = new Map([
  ["llm", { rounds: 21, load: async () => (await import("./llm/benchmark.ts")).llmBenchmark }],
  ["rooms", { rounds: 9, load: async () => (await import("./rooms/benchmark.ts")).roomsBenchmark }],
  ["sse", { rounds: 5, load: async () => (await import("./sse/benchmark.ts")).sseBenchmark }],
]);

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string" },
    only: { type: "string" },
    profile: { type: "string" },
  },
});
const benchmark = BENCHMARKS.get(positionals[0] ?? "");
const rounds = Number(values.rounds ?? benchmark?.rounds);
if (benchmark === undefined || !Number.isSafeInteger(rounds) || rounds < 1) {
  console.error(`Usage: npm run bench -- ${[...BENCHMARKS.keys()].join("|")} [--rounds N]`);
  process.exit(2);
}
const run = await benchmark.load();
await run({ rounds, only: values.only, profile: values.profile });
