/**
 * Owns the comparison of ways to stream a model's answer: one run, one scripted provider, the peers
 * taking turns. Refuses to know how the figures look.
 */
import { setTimeout } from "node:timers/promises";
import type { Benchmark, BenchmarkOptions } from "../support/benchmark.ts";
import { startServing } from "../support/child.ts";
import { type Exchange, closeClient } from "../support/client.ts";
import { cpuTime } from "../support/cpu.ts";
import { profileWorker } from "../support/profile.ts";
import { rotate } from "../support/turns.ts";
import { askFor, delaysOf, firstMs } from "./answers.ts";
import { type Peer, startPeers } from "./peers.ts";
import { type Results, createResults, printReport } from "./report.ts";
import { measureCrowd, measureLong } from "./stored.ts";
import { printStoredReport } from "./stored-report.ts";
import { type Scenario, SCRIPTS } from "./tokens.ts";

const WARM_UP_ROUNDS = 3;

/** Answers in a round; one alone says little about the first token. */
const REPEATS = { first: 20, thinking: 5, paced: 1, full: 1 };

/** Rounds of the scenarios that take long and measure much at once. */
const FEW_ROUNDS = 3;

/** Milliseconds between answers: each is asked for alone. */
const PAUSE_MS = 10;

/** Answers while a profile is taken. */
const PROFILED_ANSWERS = { first: 1000, full: 40 };

/** What everybody does by turns. */
const BY_TURNS = ["first", "thinking", "paced", "full"] as const;

type ByTurns = (typeof BY_TURNS)[number];

export const llmBenchmark: Benchmark = { scenarios: Object.keys(SCRIPTS), run };

/** Measures everything and prints tables. */
async function run({ rounds, only, profile }: BenchmarkOptions): Promise<void> {
  using provider = await startServing(new URL("scripted-provider.ts", import.meta.url));
  await using running = await startPeers(`http://127.0.0.1:${provider.port}/v1`);
  const { peers } = running;
  if (profile === undefined) {
    const wanted = (Object.keys(SCRIPTS) as Scenario[]).filter(
      (scenario) => only === undefined || only === scenario,
    );
    const results = createResults();
    await measureByTurns(results, peers, {
      rounds,
      scenarios: BY_TURNS.filter((scenario) => wanted.includes(scenario)),
    });
    for (let round = 0; round < Math.min(rounds, FEW_ROUNDS); round += 1) {
      if (wanted.includes("long")) await measureLong(results, peers);
      if (wanted.includes("crowd")) await measureCrowd(results, rotate(peers, round));
    }
    process.stderr.write("\n");
    printReport(results, rounds);
    printStoredReport(results);
  } else {
    await profilePeer(peers, profile, only === "first" ? "first" : "full");
  }
  closeClient();
}

async function measureByTurns(
  results: Results,
  peers: readonly Peer[],
  { rounds, scenarios }: { readonly rounds: number; readonly scenarios: readonly ByTurns[] },
): Promise<void> {
  if (scenarios.length === 0) return;
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (const scenario of scenarios) {
      // Everybody goes first as often as everybody else.
      for (const peer of rotate(peers, round + WARM_UP_ROUNDS)) {
        for (let repeat = 0; repeat < REPEATS[scenario]; repeat += 1) {
          // What an answer leaves to be done is done before the next is asked for.
          await setTimeout(PAUSE_MS);
          const cpuBefore = cpuOf(peer);
          const exchange = await askFor(peer, scenario);
          const cpu = cpuOf(peer) - cpuBefore;
          if (round >= 0) record(results, peer, { scenario, exchange, cpu });
        }
      }
    }
    process.stderr.write(`\rround ${Math.max(0, round + 1)} of ${rounds} `);
  }
}

async function profilePeer(
  peers: readonly Peer[],
  name: string,
  scenario: "first" | "full",
): Promise<void> {
  const peer = peers.find((one) => one.name === name);
  if (peer?.inspector === undefined) throw new Error(`No Worker is called ${name}.`);
  const work = async (): Promise<void> => {
    for (let i = 0; i < PROFILED_ANSWERS[scenario]; i += 1) await askFor(peer, scenario);
  };
  await work();
  await profileWorker(await peer.inspector(), work);
}

function record(
  results: Results,
  { name }: Peer,
  {
    scenario,
    exchange,
    cpu,
  }: { readonly scenario: ByTurns; readonly exchange: Exchange; readonly cpu: number },
): void {
  const samples = results.get(name);
  if (samples === undefined) return;
  const { tokens } = SCRIPTS[scenario];
  if (scenario === "first") samples.firstByteMs.push(firstMs(exchange));
  // It says nothing for as long to everybody.
  if (scenario === "thinking")
    samples.thinkingMs.push(firstMs(exchange) - SCRIPTS.thinking.thinkMs);
  if (scenario === "paced") {
    samples.tokenDelayMs.push(...delaysOf(exchange));
    samples.pacedCpuMs.push((cpu / tokens) * 1000);
  }
  if (scenario === "full") {
    samples.tokensPerSecond.push((tokens / (exchange.endedAt - exchange.sentAt)) * 1000);
    samples.fullCpuMs.push((cpu / tokens) * 1000);
    samples.writes.push(exchange.arrivals.length);
  }
}

function cpuOf({ pids }: Peer): number {
  return pids.reduce<number>((sum, pid) => sum + cpuTime(pid), 0);
}
