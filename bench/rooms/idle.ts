/**
 * Owns what thousands of members cost who say nothing: the time to let them in, memory, and whether
 * the room sleeps meanwhile. A process of its own for each: memory once taken is rarely given back.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { residentBytes } from "../support/cpu.ts";
import { now } from "../support/load-socket.ts";
import { Crowd } from "./crowd.ts";
import { type Peer, type PeerName, startPeers } from "./peers.ts";

/** Idle members of a room. */
const MEMBERS = 5000;

/** Members that have come before memory is measured, so that all code has run. */
const FIRST_MEMBERS = 200;

/** The runtime puts an object to sleep after some 10 s without events. */
const IDLE_MS = 15_000;

/** A heartbeat of everyone in so many milliseconds: five times as often as clients are told to. */
const BEAT_MS = 5_000;

export interface Idle {
  readonly joinMs: number;
  readonly bytesAwake: number;
  /** The same after a while in which nothing but heartbeats happened. */
  readonly bytesLater: number;
  /** Whether it slept in that while; undefined where it does not say. */
  readonly slept: boolean | undefined;
}

/** Fills a room of a fresh process with idle members, lets them be, and then speaks to all of them. */
export async function measureIdle(name: PeerName): Promise<Idle> {
  await using running = await startPeers([name]);
  const [peer] = running.peers;
  if (peer === undefined) throw new Error(`${name} was not started.`);
  using _first = await Crowd.join({ room: peer.room("first"), size: FIRST_MEMBERS });
  const before = residentBytes(peer.pid);
  const startedAt = now();
  using crowd = await Crowd.join({ room: peer.room("idle"), size: MEMBERS });
  const joinMs = now() - startedAt;
  const bytesAwake = (residentBytes(peer.pid) - before) / MEMBERS;
  const wakes = await wakesOf(peer);
  for (let ms = 0; ms < IDLE_MS; ms += BEAT_MS) {
    crowd.beat();
    await sleep(BEAT_MS);
  }
  const bytesLater = (residentBytes(peer.pid) - before) / MEMBERS;
  const wakesLater = await wakesOf(peer);
  // Nobody was lost in sleep.
  await crowd.burst(1);
  return {
    joinMs,
    bytesAwake,
    bytesLater,
    slept: wakes === undefined || wakesLater === undefined ? undefined : wakesLater > wakes,
  };
}

/** How often the room began to live; asking wakes it. */
async function wakesOf(peer: Peer): Promise<number | undefined> {
  return (await peer.stats("idle"))?.["wakes"];
}
