/** Owns what a benchmark is to the runner. Refuses to know any. */

/** What the command line may say to a benchmark. */
export interface BenchmarkOptions {
  /** Measured rounds, after the warm-up; every peer takes part in each. */
  readonly rounds: number;
  /** Runs this scenario only. */
  readonly only: string | undefined;
  /** Prints where this peer spends its time, instead of comparing. */
  readonly profile: string | undefined;
}

export interface Benchmark {
  /** What may be run alone. */
  readonly scenarios: readonly string[];
  /** Measures, and prints what it found. */
  readonly run: (options: BenchmarkOptions) => Promise<void>;
}
