/**
 * Owns the comparison of ways to stream a model's answer through a Worker: one run, one workerd
 * process, one scripted provider, the peers taking turns. Refuses to know how the figures look.
 */
import type { Benchmark } from "../support/benchmark.ts";
import { startServing } from "../support/child.ts";
import { type Exchange, closeClient, findArrivals, post } from "../support/client.ts";
import { cpuTime } from "../support/cpu.ts";
import { profileWorker } from "../support/profile.ts";
import { startWorkers } from "../support/workers.ts";
import { PEERS, type Peer, peerWorkers } from "./peers.ts";
import { type Results, createResults, printReport } from "./report.ts";
import { SCRIPTS, type Scenario, TOKEN } from "./tokens.ts";

const WARM_UP_ROUNDS = 3;

/** Short answers in a round; one alone says little about the first byte. */
const FIRST_PER_ROUND = 20;

/** Answers while a profile is taken. */
const PROFILED_ANSWERS = { first: 1000, full: 40 };

/** Measures everything and prints tables. */
export const llmBenchmark: Benchmark = async ({ rounds, only, profile }) => {
  using provider = await startServing(new URL("scripted-provider.ts", import.meta.url));
  await using workers = await startWorkers(peerWorkers(`http://127.0.0.1:${provider.port}/v1`));
  const ask = async (peer: Peer, scenario: Scenario): Promise<Exchange> => {
    const exchange = await post(new URL(peer.path, workers.address(peer.worker)), {
      model: scenario,
      stream: true,
      messages: [{ role: "user", content: "Tell me about streams." }],
    });
    checkComplete(peer, scenario, exchange);
    return exchange;
  };

  if (profile !== undefined) {
    const peer = PEERS.find(({ worker }) => worker === profile);
    if (peer === undefined) throw new Error(`No peer is called ${profile}.`);
    const scenario = only === "first" ? "first" : "full";
    const work = async (): Promise<void> => {
      for (let i = 0; i < PROFILED_ANSWERS[scenario]; i += 1) await ask(peer, scenario);
    };
    await work();
    await profileWorker(await workers.inspector(peer.worker), work);
  } else {
    const results = createResults();
    const scenarios = (Object.keys(SCRIPTS) as Scenario[]).filter(
      (scenario) => only === undefined || only === scenario,
    );
    for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
      for (const scenario of scenarios) {
        // Everybody goes first as often as everybody else.
        for (const peer of rotate(PEERS, round + WARM_UP_ROUNDS)) {
          const repeats = scenario === "first" ? FIRST_PER_ROUND : 1;
          for (let repeat = 0; repeat < repeats; repeat += 1) {
            const cpuBefore = cpuTime(workers.pid);
            const exchange = await ask(peer, scenario);
            const cpu = cpuTime(workers.pid) - cpuBefore;
            if (round >= 0) record(results, peer, { scenario, exchange, cpu });
          }
        }
      }
      process.stderr.write(`\rround ${Math.max(0, round + 1)} of ${rounds} `);
    }
    process.stderr.write("\n");
    printReport(results, rounds);
  }
  closeClient();
};

/** A figure for an answer that lost tokens would be worth nothing. */
function checkComplete({ name }: Peer, scenario: Scenario, exchange: Exchange): void {
  const numbers = findArrivals(exchange, TOKEN).map(({ match }) => Number(match[1]));
  const complete =
    exchange.status === 200 &&
    numbers.length === SCRIPTS[scenario].tokens &&
    numbers.every((number, index) => number === index);
  if (complete) return;
  const body = Buffer.concat(exchange.arrivals.map(({ bytes }) => bytes)).toString();
  throw new Error(
    `${name} answered ${scenario} with ${exchange.status} and ${numbers.length} tokens: ${body.slice(0, 400)}`,
  );
}

function record(
  results: Results,
  { name }: Peer,
  {
    scenario,
    exchange,
    cpu,
  }: { readonly scenario: Scenario; readonly exchange: Exchange; readonly cpu: number },
): void {
  const samples = results.get(name);
  if (samples === undefined) return;
  const first = (exchange.arrivals[0]?.at ?? Number.NaN) - exchange.sentAt;
  const { tokens } = SCRIPTS[scenario];
  if (scenario === "first") samples.firstByteMs.push(first);
  if (scenario === "paced") {
    for (const { at, match } of findArrivals(exchange, TOKEN)) {
      samples.tokenDelayMs.push(at - Number(match[2]) / 1000);
    }
    samples.pacedCpuMs.push((cpu / tokens) * 1000);
  }
  if (scenario === "full") {
    samples.tokensPerSecond.push((tokens / (exchange.endedAt - exchange.sentAt)) * 1000);
    samples.fullCpuMs.push((cpu / tokens) * 1000);
    samples.writes.push(exchange.arrivals.length);
  }
}

function rotate<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
