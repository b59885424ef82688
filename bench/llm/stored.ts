/**
 * Owns the measurements of answers that survive their connection: a long one at the speed of a model,
 * and very many at once with several viewers each. Refuses to know how the figures look.
 */
import type { Exchange } from "../support/client.ts";
import { cpuTime } from "../support/cpu.ts";
import { now } from "../support/load-socket.ts";
import { quantile } from "../support/statistics.ts";
import { tell } from "../support/tell.ts";
import { askFor, delaysOf, watch } from "./answers.ts";
import type { Peer } from "./peers.ts";
import type { Results } from "./report.ts";
import { SCRIPTS } from "./tokens.ts";

/** A long answer. */
export interface LongRun {
  readonly ms: number;
  /** Parts in which it reached the client. */
  readonly writes: number;
  /** Rows written for it. */
  readonly rows: number;
}

/** Many answers at once. */
export interface CrowdRun {
  readonly viewers: number;
  /** Viewers who did not get all of their answer. */
  readonly failed: number;
  readonly ms: number;
  readonly delayP50: number;
  readonly delayP99: number;
  readonly cpuMs: number;
}

/** Answers at once. */
const CROWD = 200;

/** Viewers of each besides the one who asked. */
const MORE_VIEWERS = 2;

/** Who is there for comparison and keeps nothing. */
const ALONGSIDE = ["Sluice", "raw passthrough"];

/** One long answer of each peer, all at the same time: one stream is no load. */
export async function measureLong(results: Results, peers: readonly Peer[]): Promise<void> {
  tell("1,000 tokens at 50 a second");
  await Promise.all(
    peers
      .filter(({ name, again }) => again !== undefined || ALONGSIDE.includes(name))
      .map(async (peer) => {
        let id = "";
        const { endedAt, sentAt, arrivals } = await askFor(peer, "long", (named) => {
          id = named;
        });
        const rows = (await peer.again?.rows?.(id)) ?? Number.NaN;
        results.get(peer.name)?.long.push({ ms: endedAt - sentAt, writes: arrivals.length, rows });
      }),
  );
}

/** Very many answers of one peer after the other. */
export async function measureCrowd(results: Results, peers: readonly Peer[]): Promise<void> {
  for (const peer of peers.filter(({ again }) => again !== undefined)) {
    tell(`${CROWD} answers at once, ${peer.name}`);
    results.get(peer.name)?.crowd.push(await runCrowd(peer));
  }
}

async function runCrowd(peer: Peer): Promise<CrowdRun> {
  const cpuBefore = peer.pids.map((pid) => cpuTime(pid));
  const beganAt = now();
  const watching: Promise<Exchange>[] = [];
  const asking = Array.from({ length: CROWD }, async () => {
    let named = (_id: string): void => {};
    const id = new Promise<string>((resolve) => {
      named = resolve;
    });
    const asked = askFor(peer, "crowd", named);
    // An answer without a name has no other viewers, and they fail with it.
    const known = Promise.race([id, asked.then(() => id)]);
    for (let more = 0; more < MORE_VIEWERS; more += 1) {
      watching.push(known.then((name) => watch(peer, "crowd", name)));
    }
    return await asked;
  });
  const settled = await Promise.allSettled([...asking, ...watching]);
  const ms = now() - beganAt;
  const done = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failure = settled.find((one) => one.status === "rejected");
  if (failure !== undefined) console.error(`\n${String(failure.reason)}`);
  const delays = done.flatMap((exchange) => delaysOf(exchange));
  return {
    viewers: settled.length,
    failed: settled.length - done.length,
    ms,
    delayP50: quantile(delays, 0.5),
    delayP99: quantile(delays, 0.99),
    cpuMs: peer.pids.reduce<number>((sum, pid, at) => sum + cpuTime(pid) - (cpuBefore[at] ?? 0), 0),
  };
}

/** Milliseconds that the provider takes for an answer of the crowd. */
export const CROWD_PROVIDER_MS = SCRIPTS.crowd.tokens * SCRIPTS.crowd.paceMs;
