/**
 * Owns what subscribers cost to whom nothing is published: memory, and whether their topic sleeps
 * meanwhile. A process of its own for each peer: memory once taken is rarely given back.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { residentBytes } from "../support/cpu.ts";
import { now } from "../support/load-socket.ts";
import { Crowd } from "./crowd.ts";
import { type PeerName, startPeers } from "./peers.ts";

/** Idle subscribers of a topic. */
const SUBSCRIBERS = 1_000;

/** Subscribers that have come before memory is measured, so that all code has run. */
const FIRST_SUBSCRIBERS = 200;

/** The runtime puts an object to sleep after some 10 s without events; keepalives fall into this while. */
const IDLE_MS = 20_000;

export interface Idle {
  readonly joinMs: number;
  readonly bytes: number;
  /** Whether the topic slept; undefined where there is no object. */
  readonly slept: boolean | undefined;
}

/** Fills a topic of a fresh process with subscribers, lets them be, and then tells them something. */
export async function measureIdle(name: PeerName): Promise<Idle> {
  await using running = await startPeers([name]);
  const [peer] = running.peers;
  if (peer === undefined) throw new Error(`${name} was not started.`);
  using first = await Crowd.join(peer.topic("first"), FIRST_SUBSCRIBERS);
  await first.burst(1);
  const before = residentBytes(peer.pid);
  const startedAt = now();
  using crowd = await Crowd.join(peer.topic("idle"), SUBSCRIBERS);
  const joinMs = now() - startedAt;
  const awakeSince = await peer.awakeSince("idle");
  await sleep(IDLE_MS);
  const bytes = (residentBytes(peer.pid) - before) / SUBSCRIBERS;
  const awakeLater = await peer.awakeSince("idle");
  // Nobody was lost in sleep.
  await crowd.burst(1);
  const slept = awakeSince === undefined ? undefined : awakeLater !== awakeSince;
  return { joinMs, bytes, slept };
}
