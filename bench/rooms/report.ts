/** Owns what is made of the measurements: tables, ratios, and whether the targets are reached. */
import { median, quantile } from "../support/statistics.ts";
import { figure, formatTable } from "../support/table.ts";
import { printTargets } from "../support/targets.ts";
import type { Idle } from "./idle.ts";
import { DELAY_PEER_NAMES, PEER_NAMES, type PeerName } from "./peers.ts";

/** A burst; rows are per 1,000 messages. */
interface Burst {
  readonly ms: number;
  readonly cpuMs: number;
  readonly rows: number;
  readonly deliveries: number;
  /** Of one processor, used by the client. */
  readonly clientShare: number;
}

/** Messages one by one; rows are per 1,000 messages. */
interface Paced {
  readonly delays: readonly number[];
  readonly rows: number;
}

/** What was measured of one peer, an element a round. */
interface Samples {
  readonly small: Burst[];
  readonly large: Burst[];
  /** In a room's first minute, and in its second. */
  readonly paced: Readonly<Record<"first" | "second", Paced[]>>;
  readonly resumeMs: number[];
  readonly idle: Idle[];
}

export type Results = ReadonlyMap<PeerName, Samples>;

/** Nothing measured yet. */
export function createResults(): Results {
  return new Map(
    [...PEER_NAMES, ...DELAY_PEER_NAMES].map((name) => [
      name,
      { small: [], large: [], paced: { first: [], second: [] }, resumeMs: [], idle: [] },
    ]),
  );
}

const OURS: PeerName = "Sluice";

/** Prints the tables and the targets. */
export function printReport(results: Results, rounds: number): void {
  const of = (name: PeerName): Samples => {
    const samples = results.get(name);
    if (samples === undefined) throw new Error(`Nothing was measured of ${name}.`);
    return samples;
  };
  /** How many times as fast we are, round by round: what slows the machine down slows down everybody. */
  const faster = (by: "small" | "large", peer: PeerName): number =>
    median(of(OURS)[by].map(({ ms }, round) => (of(peer)[by][round]?.ms ?? Number.NaN) / ms));
  const p50 = (name: PeerName, minute: "first" | "second"): readonly number[] =>
    of(name).paced[minute].map(({ delays }) => median(delays));
  /** How many times as long a message takes as with the bare object. */
  const delay = (name: PeerName, minute: "first" | "second"): number => {
    const bare = p50("bare object", minute);
    return median(p50(name, minute).map((ms, round) => ms / (bare[round] ?? Number.NaN)));
  };

  const paced = of(OURS).paced.second.length;
  const inMinutes = paced === 0 ? "" : `, ${paced} in each minute of the paced room`;
  console.log(
    `\n${rounds} rounds${inMinutes}, peers taking turns; Workers in one workerd process.`,
  );
  console.log("Medians; a ratio is the median of the rounds' ratios.\n");
  for (const [by, title] of [
    ["small", "burst, 1 → 100 members"],
    ["large", "burst, 1 → 1,000 members"],
  ] as const) {
    if (of(OURS)[by].length === 0) continue;
    console.log(
      formatTable(
        [
          title,
          "deliveries/s",
          "p5–p95",
          "Sluice is × as fast",
          "CPU µs/delivery",
          "client's CPU",
          "rows/1,000 messages",
        ],
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
            figure(median(bursts.map(({ rows }) => rows)), 0),
          ];
        }),
      ),
    );
    console.log();
  }
  if (paced + of(OURS).resumeMs.length > 0) {
    console.log(
      formatTable(
        [
          "20 messages/s, 100 members, the second minute",
          "p50 ms",
          "p99 ms",
          "p50 × bare object",
          "p50 ms in the first",
          "× bare object",
          "rows/1,000 messages",
          "1,000 resume 1,000 messages, s",
        ],
        [...PEER_NAMES, ...DELAY_PEER_NAMES].map((name) => [
          name,
          figure(median(p50(name, "second")), 2),
          figure(median(of(name).paced.second.map(({ delays }) => quantile(delays, 0.99))), 2),
          figure(delay(name, "second"), 2),
          figure(median(p50(name, "first")), 2),
          figure(delay(name, "first"), 2),
          figure(median(of(name).paced.second.map(({ rows }) => rows)), 0),
          figure(median(of(name).resumeMs) / 1000, 2),
        ]),
      ),
    );
    console.log();
  }
  if (of(OURS).idle.length > 0) {
    console.log(
      formatTable(
        ["5,000 idle members", "joined within s", "KiB/member", "15 s later", "slept"],
        PEER_NAMES.map((name) => {
          const { idle } = of(name);
          const [first] = idle;
          return [
            name,
            figure(median(idle.map(({ joinMs }) => joinMs)) / 1000, 2),
            figure(median(idle.map(({ bytesAwake }) => bytesAwake)) / 1024, 1),
            figure(median(idle.map(({ bytesLater }) => bytesLater)) / 1024, 1),
            first?.slept === undefined ? "–" : idle.every(({ slept }) => slept) ? "yes" : "no",
          ];
        }),
      ),
    );
    console.log();
  }
  const burst = faster("large", "PartyServer");
  const stored = delay(OURS, "second");
  const atFirst = delay(OURS, "first");
  const inMemory = delay("Sluice, storage in memory", "second");
  const { idle } = of(OURS);
  const slept = idle.length === 0 ? Number.NaN : idle.filter(({ slept }) => slept).length;
  printTargets(OURS, [
    ["burst to 1,000 ÷ PartyServer ≥ 20", burst, burst >= 20],
    ["p50 at 20 messages/s ÷ bare object ≤ 1.25, the second minute", stored, stored <= 1.25],
    ["the same in the first", atFirst, atFirst <= 1.25],
    ["the same in the second, with storage in memory", inMemory, inMemory <= 1.25],
    [`rooms of 5,000 idle members that slept, of ${idle.length}`, slept, slept === idle.length],
  ]);
}
