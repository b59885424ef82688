/**
 * Owns the comparison of rooms: who is measured when, at what, and in which order. Refuses to know how
 * the figures look.
 */
import type { Benchmark, BenchmarkOptions } from "../support/benchmark.ts";
import { cpuTime } from "../support/cpu.ts";
import { now } from "../support/load-socket.ts";
import { profileWorker } from "../support/profile.ts";
import { tell } from "../support/tell.ts";
import { rotate } from "../support/turns.ts";
import { Crowd } from "./crowd.ts";
import { measureIdle } from "./idle.ts";
import { paceByTurns } from "./pace.ts";
import { DELAY_PEER_NAMES, PEER_NAMES, type Peer, startPeers } from "./peers.ts";
import { type Results, createResults, printReport } from "./report.ts";

const WARM_UP_ROUNDS = 1;

/** Members of a burst, and messages that one of them publishes at once. */
const BURSTS = [
  { members: 100, messages: 200 },
  { members: 1000, messages: 100 },
] as const;

/** A conversation: 20 messages a second, in rounds of two seconds. */
const PACED = { members: 100, messages: 40, everyMs: 50 } as const;

/**
 * Two minutes of it without a pause, which are told of separately. In the first, 1,200 messages, what runs 20 times
 * a second is compiled, and the write-ahead log of the database grows to the 1,000 pages that it overwrites from
 * then on; both make messages faster afterwards.
 */
const MINUTES = ["first", "second"] as const;
const PACED_ROUNDS = 30;

/** Everyone comes back at once after a while. */
const RESUME = { members: 1000, messages: 1000 } as const;

/** Fresh processes in which each peer is filled with idle members. */
const IDLE_ROUNDS = 2;

/** Bursts while a profile is taken, and paced messages. */
const PROFILED = { bursts: 20, messages: 400 } as const;

const SCENARIOS = ["burst-100", "burst-1000", "paced", "resume", "idle"] as const;
type Scenario = (typeof SCENARIOS)[number];

/** The crowds of one peer, which stay for the whole run. */
interface Crowds {
  readonly peer: Peer;
  readonly paced: Crowd;
  /** Of those who take part in everything. */
  readonly bursts: { readonly small: Crowd; readonly large: Crowd } | undefined;
}

export const roomsBenchmark: Benchmark = { scenarios: SCENARIOS, run };

/** Measures everything and prints tables. */
async function run({ rounds, only, profile }: BenchmarkOptions): Promise<void> {
  if (profile !== undefined) {
    await profilePeer(profile, only === "paced" ? "paced" : "burst");
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
        tell(`idle members: round ${round + 1} of ${IDLE_ROUNDS}, ${name}`);
        results.get(name)?.idle.push(await measureIdle(name));
      }
    }
  }
  process.stderr.write("\n");
  printReport(results, rounds);
}

async function measureSideBySide(
  results: Results,
  rounds: number,
  wanted: readonly Scenario[],
): Promise<void> {
  await using running = await startPeers([...PEER_NAMES, ...DELAY_PEER_NAMES]);
  using stack = new DisposableStack();
  const crowds: Crowds[] = [];
  for (const peer of running.peers) {
    const join = async (room: string, size: number): Promise<Crowd> =>
      stack.use(await Crowd.join({ room: peer.room(room), size }));
    const paced = await join("paced", PACED.members);
    const bursts = PEER_NAMES.includes(peer.name)
      ? {
          small: await join("small", BURSTS[0].members),
          large: await join("large", BURSTS[1].members),
        }
      : undefined;
    crowds.push({ peer, paced, bursts });
  }
  if (wanted.includes("paced")) {
    for (const minute of MINUTES) {
      for (let round = 0; round < PACED_ROUNDS; round += 1) {
        tell(`paced, the ${minute} minute: ${round + 1} of ${PACED_ROUNDS}`);
        await measurePaced(results, minute, crowds);
      }
    }
  }
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (const scenario of wanted) {
      if (scenario === "paced" || scenario === "idle") continue;
      // Everybody goes first as often as everybody else.
      for (const crowd of rotate(crowds, round + WARM_UP_ROUNDS)) {
        tell(`round ${Math.max(0, round + 1)} of ${rounds}: ${scenario}, ${crowd.peer.name}`);
        beat(crowds);
        await measure(round < 0 ? undefined : results, scenario, crowd);
      }
    }
  }
}

/** Keeps all connections alive. */
function beat(crowds: readonly Crowds[]): void {
  for (const { paced, bursts } of crowds) {
    paced.beat();
    bursts?.small.beat();
    bursts?.large.beat();
  }
}

async function measurePaced(
  results: Results,
  minute: (typeof MINUTES)[number],
  crowds: readonly Crowds[],
): Promise<void> {
  beat(crowds);
  const rowsOf = async (): Promise<readonly number[]> =>
    await Promise.all(crowds.map(async ({ peer }) => await rowsWritten(peer, "paced")));
  const before = await rowsOf();
  const paced = crowds.map((crowd) => crowd.paced);
  const delays = await paceByTurns(paced, PACED);
  const after = await rowsOf();
  for (const [nth, { peer }] of crowds.entries()) {
    const rows = (after[nth] ?? Number.NaN) - (before[nth] ?? Number.NaN);
    const samples = { delays: delays[nth] ?? [], rows: (rows / PACED.messages) * 1000 };
    results.get(peer.name)?.paced[minute].push(samples);
  }
}

async function measure(
  results: Results | undefined,
  scenario: Exclude<Scenario, "paced" | "idle">,
  { peer, bursts }: Crowds,
): Promise<void> {
  const samples = results?.get(peer.name);
  switch (scenario) {
    case "burst-100": {
      if (bursts === undefined) return;
      const burst = await measureBurst(peer, bursts.small, "small", BURSTS[0].messages);
      samples?.small.push({ ...burst, deliveries: BURSTS[0].messages * BURSTS[0].members });
      return;
    }
    case "burst-1000": {
      if (bursts === undefined) return;
      const burst = await measureBurst(peer, bursts.large, "large", BURSTS[1].messages);
      samples?.large.push({ ...burst, deliveries: BURSTS[1].messages * BURSTS[1].members });
      return;
    }
    case "resume": {
      const ms = bursts === undefined ? undefined : await measureResume(peer);
      if (ms !== undefined) samples?.resumeMs.push(ms);
    }
  }
}

async function measureBurst(
  peer: Peer,
  crowd: Crowd,
  room: string,
  messages: number,
): Promise<{ ms: number; cpuMs: number; rows: number; clientShare: number }> {
  const rows = await rowsWritten(peer, room);
  const cpu = cpuTime(peer.pid);
  const client = process.cpuUsage();
  const { ms } = await crowd.burst(messages);
  const { user, system } = process.cpuUsage(client);
  return {
    ms,
    cpuMs: cpuTime(peer.pid) - cpu,
    rows: (((await rowsWritten(peer, room)) - rows) / messages) * 1000,
    clientShare: (user + system) / 1000 / ms,
  };
}

/** Milliseconds until everyone who had missed everything is back and has it; undefined without a log. */
async function measureResume(peer: Peer): Promise<number | undefined> {
  const room = peer.room(`resume-${Math.round(now())}`);
  using author = await Crowd.join({ room, size: 1, names: "author" });
  const epoch = author.members[0]?.epoch;
  if (epoch === undefined) return undefined;
  await author.burst(RESUME.messages);
  const startedAt = now();
  using crowd = await Crowd.join({ room, size: RESUME.members, resume: { epoch, seq: 0 } });
  await crowd.hear(RESUME.messages);
  return now() - startedAt;
}

async function rowsWritten(peer: Peer, room: string): Promise<number> {
  return (await peer.stats(room))?.["rowsWritten"] ?? Number.NaN;
}

async function profilePeer(name: string, scenario: "burst" | "paced"): Promise<void> {
  await using running = await startPeers(PEER_NAMES.filter((peer) => peer === name));
  const [peer] = running.peers;
  if (peer?.inspector === undefined) throw new Error(`No Worker is called ${name}.`);
  const { members, messages } = BURSTS[1];
  const size = scenario === "burst" ? members : PACED.members;
  using crowd = await Crowd.join({ room: peer.room("profiled"), size });
  await profileWorker(await peer.inspector(), async () => {
    if (scenario === "paced") await paceByTurns([crowd], { ...PACED, messages: PROFILED.messages });
    else for (let i = 0; i < PROFILED.bursts; i += 1) await crowd.burst(messages);
  });
}
