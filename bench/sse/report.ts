/** Owns what is made of the measurements: tables, ratios, and whether the targets are reached. */
import { median, quantile } from "../support/statistics.ts";
import { figure, formatTable } from "../support/table.ts";
import { printTargets } from "../support/targets.ts";
import type { Idle } from "./idle.ts";
import { PEER_NAMES, type PeerName } from "./peers.ts";

interface Burst {
  readonly ms: number;
  readonly cpuMs: number;
  readonly deliveries: number;
  /** Of one processor, used by the client. */
  readonly clientShare: number;
}

/** What was measured of one peer, an element a round. */
interface Samples {
  readonly small: Burst[];
  readonly large: Burst[];
  /** Each event a request of its own. */
  readonly single: Burst[];
  /** Delays of all deliveries. */
  readonly pacedSmall: (readonly number[])[];
  readonly pacedLarge: (readonly number[])[];
  readonly catchUpMs: number[];
  readonly idle: Idle[];
}

export type Results = ReadonlyMap<PeerName, Samples>;

/** Nothing measured yet. */
export function createResults(): Results {
  return new Map(
    PEER_NAMES.map((name) => [
      name,
      {
        small: [],
        large: [],
        single: [],
        pacedSmall: [],
        pacedLarge: [],
        catchUpMs: [],
        idle: [],
      },
    ]),
  );
}

const OURS: PeerName = "Sluice";
const RIVAL: PeerName = "object with streamSSE";

const BURSTS = [
  ["small", "one request of 200 events → 100 subscribers"],
  ["large", "one request of 100 events → 1,000 subscribers"],
  ["single", "100 requests of an event → 1,000 subscribers"],
] as const;

/** Prints the tables and the targets. */
export function printReport(results: Results, rounds: number): void {
  const of = (name: PeerName): Samples => {
    const samples = results.get(name);
    if (samples === undefined) throw new Error(`Nothing was measured of ${name}.`);
    return samples;
  };
  /** How many times as fast we are, round by round: what slows the machine down slows down everybody. */
  const faster = (by: (typeof BURSTS)[number][0], peer: PeerName): number =>
    median(of(OURS)[by].map(({ ms }, round) => (of(peer)[by][round]?.ms ?? Number.NaN) / ms));
  const sooner = (peer: PeerName): number =>
    median(of(OURS).catchUpMs.map((ms, round) => (of(peer).catchUpMs[round] ?? Number.NaN) / ms));

  console.log(`\n${rounds} rounds, peers taking turns; Workers in one workerd process.`);
  console.log("Medians; a ratio is the median of the rounds' ratios.\n");
  for (const [by, title] of BURSTS) {
    if (of(OURS)[by].length === 0) continue;
    console.log(
      formatTable(
        [title, "deliveries/s", "p5–p95", "Sluice is × as fast", "CPU µs/delivery", "client's CPU"],
        PEER_NAMES.map((name) => {
          const bursts = of(name)[by];
          const speeds = bursts.map(({ ms, deliveries }) => (deliveries / ms) * 1000);
          return [
            name,
            figure(median(speeds), 0),
            `${figure(quantile(speeds, 0.05), 0)}–${figure(quantile(speeds, 0.95), 0)}`,
            figure(faster(by, name), 2),
            figure(median(bursts.map(({ cpuMs, deliveries }) => (cpuMs / deliveries) * 1000)), 2),
            `${figure(median(bursts.map(({ clientShare }) => clientShare * 100)), 0)} %`,
          ];
        }),
      ),
    );
    console.log();
  }
  const delay = (rows: readonly (readonly number[])[], share: number): string =>
    figure(median(rows.map((delays) => quantile(delays, share))), 2);
  console.log(
    formatTable(
      [
        "20 events/s",
        "100 subscribers: p50 ms",
        "p99 ms",
        "1,000 subscribers: p50 ms",
        "p99 ms",
        "1,000 catch up on 1,000 events, s",
        "Sluice is × as fast",
      ],
      PEER_NAMES.map((name) => {
        const { pacedSmall, pacedLarge, catchUpMs } = of(name);
        return [
          name,
          delay(pacedSmall, 0.5),
          delay(pacedSmall, 0.99),
          delay(pacedLarge, 0.5),
          delay(pacedLarge, 0.99),
          figure(median(catchUpMs) / 1000, 2),
          figure(sooner(name), 2),
        ];
      }),
    ),
  );
  console.log();
  console.log(
    formatTable(
      ["1,000 idle subscribers", "joined within s", "KiB/subscriber", "slept"],
      PEER_NAMES.map((name) => {
        const { idle } = of(name);
        return [
          name,
          figure(median(idle.map(({ joinMs }) => joinMs)) / 1000, 2),
          figure(median(idle.map(({ bytes }) => bytes)) / 1024, 1),
          idle[0]?.slept === undefined ? "–" : idle.every(({ slept }) => slept) ? "yes" : "no",
        ];
      }),
    ),
  );
  console.log();
  const [small, large] = [faster("small", RIVAL), faster("large", RIVAL)];
  const { idle } = of(OURS);
  const slept = idle.length === 0 ? Number.NaN : idle.filter((one) => one.slept).length;
  printTargets(OURS, [
    [`burst to 100 ÷ ${RIVAL} ≥ 3`, small, small >= 3],
    [`burst to 1,000 ÷ ${RIVAL} ≥ 3`, large, large >= 3],
    [
      `topics of 1,000 idle subscribers that slept, of ${idle.length}`,
      slept,
      slept === idle.length,
    ],
  ]);
}
