/**
 * Owns the comparison of event streams: who is measured when, at what, and in which order. Refuses to
 * know how the figures look.
 */
import type { Benchmark, BenchmarkOptions } from "../support/benchmark.ts";
import { closeClient } from "../support/client.ts";
import { cpuTime } from "../support/cpu.ts";
import { now } from "../support/load-socket.ts";
import { profileWorker } from "../support/profile.ts";
import { tell } from "../support/tell.ts";
import { rotate } from "../support/turns.ts";
import { Crowd } from "./crowd.ts";
import { measureIdle } from "./idle.ts";
import { PEER_NAMES, type Peer, SKIPPED, startPeers } from "./peers.ts";
import { type Results, createResults, printReport } from "./report.ts";

const WARM_UP_ROUNDS = 1;

/** Events published at once. */
const SMALL_BURST = 200;
const LARGE_BURST = 100;

/** Requests at a time, when each event is a request. */
const PUBLISHERS = 16;

/** 20 events a second. */
const PACED = { events: 40, everyMs: 50 } as const;

/** Everyone comes late. */
const CATCH_UP = { subscribers: 1_000, events: 1_000, perRequest: 250 } as const;

/** Fresh processes in which each peer is filled with idle subscribers. */
const IDLE_ROUNDS = 2;

const PROFILED_BURSTS = 10;

const SIZES = { small: 100, large: 1_000 } as const;

const SCENARIOS = [
  "burst-100",
  "burst-1000",
  "single-1000",
  "paced-100",
  "paced-1000",
  "catch-up",
  "idle",
] as const;
type Scenario = (typeof SCENARIOS)[number];

/** The subscribers of one peer, which stay for the whole run. */
interface Crowds {
  readonly peer: Peer;
  readonly small: Crowd;
  readonly large: Crowd;
}

export const sseBenchmark: Benchmark = { scenarios: SCENARIOS, run };

/** Measures everything and prints tables. */
async function run({ rounds, only, profile }: BenchmarkOptions): Promise<void> {
  if (profile !== undefined) {
    await profilePeer(profile, only);
    return;
  }
  const wanted = SCENARIOS.filter((scenario) => only === undefined || only === scenario);
  const results = createResults();
  if (wanted.some((scenario) => scenario !== "idle")) {
    await measureSideBySide(results, rounds, wanted);
  }
  if (wanted.includes("idle")) {
    for (let round = 0; round < IDLE_ROUNDS; round += 1) {
      for (const name of rotate(PEER_NAMES, round)) {
        tell(`idle subscribers: round ${round + 1} of ${IDLE_ROUNDS}, ${name}`);
        results.get(name)?.idle.push(await measureIdle(name));
      }
    }
  }
  closeClient();
  process.stderr.write("\n");
  for (const line of SKIPPED) console.log(line);
  printReport(results, rounds);
}

async function measureSideBySide(
  results: Results,
  rounds: number,
  wanted: readonly Scenario[],
): Promise<void> {
  await using running = await startPeers(PEER_NAMES);
  using stack = new DisposableStack();
  const crowds: Crowds[] = [];
  for (const peer of running.peers) {
    const small = stack.use(await Crowd.join(peer.topic("small"), SIZES.small));
    const large = stack.use(await Crowd.join(peer.topic("large"), SIZES.large));
    crowds.push({ peer, small, large });
  }
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (const scenario of wanted) {
      // It takes minutes, and runs nothing that the others have not warmed up.
      if (round < 0 && scenario === "catch-up") continue;
      // Everybody goes first as often as everybody else.
      for (const crowd of rotate(crowds, round + WARM_UP_ROUNDS)) {
        tell(`round ${Math.max(0, round + 1)} of ${rounds}: ${scenario}, ${crowd.peer.name}`);
        await measure(round < 0 ? undefined : results, scenario, crowd);
      }
    }
  }
}

async function measure(
  results: Results | undefined,
  scenario: Scenario,
  { peer, small, large }: Crowds,
): Promise<void> {
  const samples = results?.get(peer.name);
  switch (scenario) {
    case "burst-100": {
      const burst = await measureBurst(peer, async () => await small.burst(SMALL_BURST));
      samples?.small.push({ ...burst, deliveries: SMALL_BURST * SIZES.small });
      return;
    }
    case "burst-1000": {
      const burst = await measureBurst(peer, async () => await large.burst(LARGE_BURST));
      samples?.large.push({ ...burst, deliveries: LARGE_BURST * SIZES.large });
      return;
    }
    case "single-1000": {
      const burst = await measureBurst(
        peer,
        async () => await large.burst(LARGE_BURST, PUBLISHERS),
      );
      samples?.single.push({ ...burst, deliveries: LARGE_BURST * SIZES.large });
      return;
    }
    case "paced-100":
      samples?.pacedSmall.push(await small.pace(PACED.events, PACED.everyMs));
      return;
    case "paced-1000":
      samples?.pacedLarge.push(await large.pace(PACED.events, PACED.everyMs));
      return;
    case "catch-up":
      samples?.catchUpMs.push(await measureCatchUp(peer));
      return;
    case "idle":
  }
}

async function measureBurst(
  peer: Peer,
  burst: () => Promise<number>,
): Promise<{ ms: number; cpuMs: number; clientShare: number }> {
  const cpu = cpuTime(peer.pid);
  const client = process.cpuUsage();
  const ms = await burst();
  const { user, system } = process.cpuUsage(client);
  return {
    ms,
    cpuMs: cpuTime(peer.pid) - cpu,
    clientShare: (user + system) / 1000 / ms,
  };
}

/** Milliseconds until everyone who comes to a topic that has many events has all of them. */
async function measureCatchUp(peer: Peer): Promise<number> {
  const topic = peer.topic(`late-${Math.round(now())}`);
  using author = await Crowd.join(topic, 1);
  for (let sent = 0; sent < CATCH_UP.events; sent += CATCH_UP.perRequest) {
    await author.burst(CATCH_UP.perRequest);
  }
  const startedAt = now();
  using crowd = await Crowd.join(topic, CATCH_UP.subscribers, "start");
  await crowd.catchUp(CATCH_UP.events);
  return now() - startedAt;
}

async function profilePeer(name: string, only: string | undefined): Promise<void> {
  await using running = await startPeers(PEER_NAMES.filter((peer) => peer === name));
  const [peer] = running.peers;
  if (peer?.inspector === undefined) throw new Error(`No Worker is called ${name}.`);
  using crowd = await Crowd.join(peer.topic("profiled"), SIZES.large);
  await profileWorker(await peer.inspector(), async () => {
    for (let i = 0; i < PROFILED_BURSTS; i += 1) {
      if (only === "catch-up") await measureCatchUp(peer);
      else if (only === "paced-1000") await crowd.pace(PACED.events, PACED.everyMs);
      else await crowd.burst(LARGE_BURST, only === "single-1000" ? PUBLISHERS : 0);
    }
  });
  closeClient();
}
