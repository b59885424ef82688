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

const USAGE = `Usage: npm run bench -- ${[...BENCHMARKS.keys()].join("|")} [--rounds N] [--only <scenario>] [--profile <peer>]`;

const options = readOptions();
const benchmark = BENCHMARKS.get(options?.name ?? "");
const rounds = Number(options?.rounds ?? benchmark?.rounds);
if (benchmark === undefined || !Number.isSafeInteger(rounds) || rounds < 1) {
  console.error(USAGE);
  process.exit(2);
}
const { scenarios, run } = await benchmark.load();
const { only, profile } = options ?? {};
if (only !== undefined && !scenarios.includes(only)) {
  console.error(`There is no scenario ${only}: ${scenarios.join(", ")}.`);
  process.exit(2);
}
await run({ rounds, only, profile });

/** What the command line says; undefined for what it cannot say. */
function readOptions():
  | Readonly<Record<"name" | "rounds" | "only" | "profile", string | undefined>>
  | undefined {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: "string" },
        only: { type: "string" },
        profile: { type: "string" },
      },
    });
    const [name] = positionals;
    return { name, rounds: values.rounds, only: values.only, profile: values.profile };
  } catch {
    return undefined;
  }
}
