/** Owns what is made of the measurements: tables, ratios, and whether the targets are reached. */
import { median, quantile } from "../support/statistics.ts";
import { figure, formatTable } from "../support/table.ts";
import { printTargets } from "../support/targets.ts";
import { DIRECT_PEER_NAMES, STORED_PEER_NAMES, type PeerName } from "./peers.ts";
import type { CrowdRun, LongRun } from "./stored.ts";

/** What was measured of one peer. */
interface Samples {
  readonly firstByteMs: number[];
  /** The same less the provider's silence, of one that thinks first. */
  readonly thinkingMs: number[];
  readonly tokenDelayMs: number[];
  readonly tokensPerSecond: number[];
  /** Milliseconds of workerd's processor time for 1,000 tokens. */
  readonly pacedCpuMs: number[];
  readonly fullCpuMs: number[];
  /** Parts in which an answer at full speed reached the client. */
  readonly writes: number[];
  /** Of those who take part, an element a round. */
  readonly long: LongRun[];
  readonly crowd: CrowdRun[];
}

export type Results = ReadonlyMap<PeerName, Samples>;

const PEER_NAMES = [...DIRECT_PEER_NAMES, ...STORED_PEER_NAMES];

/** Nothing measured yet. */
export function createResults(): Results {
  return new Map(
    PEER_NAMES.map((name) => [
      name,
      {
        firstByteMs: [],
        thinkingMs: [],
        tokenDelayMs: [],
        tokensPerSecond: [],
        pacedCpuMs: [],
        fullCpuMs: [],
        writes: [],
        long: [],
        crowd: [],
      },
    ]),
  );
}

/** Prints the tables and the targets. */
export function printReport(results: Results, rounds: number): void {
  const of = (name: PeerName): Samples => {
    const samples = results.get(name);
    if (samples === undefined) throw new Error(`Nothing was measured of ${name}.`);
    return samples;
  };
  const raw = of("raw passthrough");
  const rawDelay = { p50: median(raw.tokenDelayMs), p95: quantile(raw.tokenDelayMs, 0.95) };
  // Round by round: what slows the machine down slows down everybody in that round.
  const compare = (by: "tokensPerSecond" | "fullCpuMs", name: PeerName, peer: PeerName): number =>
    median(of(name)[by].map((value, round) => value / (of(peer)[by][round] ?? Number.NaN)));

  console.log(`\n${rounds} rounds, peers taking turns; Workers in one workerd process.`);
  console.log("Medians; a ratio is the median of the rounds' ratios.\n");
  if (PEER_NAMES.every((name) => isEmpty(of(name)))) return;
  console.log(
    formatTable(
      [
        "",
        "first token p50 ms",
        "p95 ms",
        "of one that thinks first",
        "p95 ms",
        "delay added p50 ms",
        "p95 ms",
        "CPU ms/1,000 tokens, paced",
      ],
      PEER_NAMES.map((name) => [
        name,
        figure(median(of(name).firstByteMs), 2),
        figure(quantile(of(name).firstByteMs, 0.95), 2),
        figure(median(of(name).thinkingMs), 2),
        figure(quantile(of(name).thinkingMs, 0.95), 2),
        figure(median(of(name).tokenDelayMs) - rawDelay.p50, 2),
        figure(quantile(of(name).tokenDelayMs, 0.95) - rawDelay.p95, 2),
        figure(median(of(name).pacedCpuMs), 0),
      ]),
    ),
  );
  console.log();
  console.log(
    formatTable(
      [
        "full speed",
        "tokens/s",
        "p5–p95",
        "× byte copy",
        "CPU ms/1,000 tokens",
        "× byte copy",
        "parts",
      ],
      PEER_NAMES.map((name) => [
        name,
        figure(median(of(name).tokensPerSecond), 0),
        `${figure(quantile(of(name).tokensPerSecond, 0.05), 0)}–${figure(quantile(of(name).tokensPerSecond, 0.95), 0)}`,
        figure(compare("tokensPerSecond", name, "byte-copy loop"), 2),
        figure(median(of(name).fullCpuMs), 1),
        figure(compare("fullCpuMs", name, "byte-copy loop"), 2),
        figure(median(of(name).writes), 0),
      ]),
    ),
  );
  console.log();
  const added = median(of("Sluice").firstByteMs) - median(raw.firstByteMs);
  printTargets("Sluice", [
    ["first byte − raw ≤ 1 ms", added, added <= 1],
    ...(
      [
        ["byte-copy loop", 0.85],
        ["hand-written handler", 1.3],
        ["AI SDK", 3],
      ] as const
    ).map(([peer, least]) => {
      const ratio = compare("tokensPerSecond", "Sluice", peer);
      return [`tokens/s ÷ ${peer} ≥ ${least}`, ratio, ratio >= least] as const;
    }),
  ]);
}

/** Whether it took no turn. */
function isEmpty({ firstByteMs, thinkingMs, tokenDelayMs, tokensPerSecond }: Samples): boolean {
  return [firstByteMs, thinkingMs, tokenDelayMs, tokensPerSecond].every(
    ({ length }) => length === 0,
  );
}
