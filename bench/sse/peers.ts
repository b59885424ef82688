/** Owns the list of who is compared, how each is started, and where its topics are. */
import { type ServingChild, startServing } from "../support/child.ts";
import { ask } from "../support/client.ts";
import { type RunningWorkers, type WorkerSource, startWorkers } from "../support/workers.ts";
import type { Topic } from "./crowd.ts";
import { findNchan, startNchan } from "./nchan.ts";

export type PeerName = "Sluice" | "object with streamSSE" | "better-sse" | "nginx + nchan";

/** Someone who has topics. */
export interface Peer {
  readonly name: PeerName;
  readonly topic: (name: string) => Topic;
  /** The process that serves it; undefined where it cannot be told. */
  readonly pid: number | undefined;
  /** Since when the topic's object is in memory; undefined where there is no object. Asking wakes it. */
  readonly awakeSince: (topic: string) => Promise<number | undefined>;
  /** The inspector's address; undefined where there is none. */
  readonly inspector: (() => Promise<URL>) | undefined;
}

/** Peers that run. */
interface RunningPeers extends AsyncDisposable {
  readonly peers: readonly Peer[];
}

const NCHAN = findNchan();

/** In the order in which the tables show them. */
export const PEER_NAMES: readonly PeerName[] = [
  "Sluice",
  "object with streamSSE",
  "better-sse",
  ...(NCHAN === undefined ? [] : (["nginx + nchan"] as const)),
];

/** What is said where nginx with nchan takes no part; nothing where it does. */
export const SKIPPED: readonly string[] =
  NCHAN === undefined ? ["nginx + nchan: skipped, not installed here."] : [];

const WORKERS: readonly (WorkerSource & { readonly peer: PeerName })[] = [
  {
    peer: "Sluice",
    name: "sluice",
    entry: "src/index.ts",
    vars: {},
    objects: { TOPICS: "TopicObject" },
  },
  {
    peer: "object with streamSSE",
    name: "streaming-object",
    entry: "bench/peers/sse/streaming-object.ts",
    vars: {},
    objects: { TOPICS: "StreamingTopic" },
  },
];

/** Starts peers: those on Workers in one workerd process, each of the others in one of its own. */
export async function startPeers(names: readonly PeerName[]): Promise<RunningPeers> {
  await using started = new AsyncDisposableStack();
  const sources = WORKERS.filter(({ peer }) => names.includes(peer));
  const workers = sources.length === 0 ? undefined : started.use(await startWorkers(sources));
  const peers: Peer[] = sources.map((source) => workerPeer(source, workers));
  if (names.includes("better-sse")) {
    const server = await startServing(new URL("better-sse-server.ts", import.meta.url));
    peers.push(childPeer("better-sse", started.use(server)));
  }
  if (NCHAN !== undefined && names.includes("nginx + nchan")) {
    peers.push(childPeer("nginx + nchan", started.use(await startNchan(NCHAN))));
  }
  const rest = started.move();
  return { peers, [Symbol.asyncDispose]: async () => await rest.disposeAsync() };
}

function workerPeer(
  { peer, name }: (typeof WORKERS)[number],
  workers: RunningWorkers | undefined,
): Peer {
  if (workers === undefined) throw new Error("No Worker was started.");
  const base = workers.address(name);
  const isOurs = peer === "Sluice";
  return {
    name: peer,
    pid: workers.pid,
    inspector: async () => await workers.inspector(name),
    topic: isOurs ? (topic) => ourTopic(topic, base) : (topic) => plainTopic(topic, base),
    awakeSince: async (topic) => {
      const path = isOurs ? `/v1/topics/${topic}/stats` : `/stats/${topic}`;
      const response = await fetch(new URL(path, base));
      return ((await response.json()) as { readonly awakeSince: number }).awakeSince;
    },
  };
}

function childPeer(name: "better-sse" | "nginx + nchan", { port, pid }: ServingChild): Peer {
  const base = new URL(`http://127.0.0.1:${port}/`);
  return {
    name,
    pid,
    inspector: undefined,
    topic: (topic) => (name === "better-sse" ? plainTopic(topic, base) : nchanTopic(topic, base)),
    awakeSince: () => Promise.resolve(undefined),
  };
}

function ourTopic(topic: string, base: URL): Topic {
  const url = new URL(`/v1/topics/${topic}`, base);
  return {
    url: (from) => new URL(`?from=${from}`, url),
    // The position that a reader is told when the topic has let it in.
    opening: "id: ",
    publish: async (texts) => {
      await send(
        url,
        texts.map((data) => ({ data })),
      );
    },
  };
}

function plainTopic(topic: string, base: URL): Topic {
  return {
    url: (from) => new URL(`/${from}/${topic}`, base),
    opening: "",
    publish: async (texts) => {
      await send(new URL(`/publish/${topic}`, base), texts);
    },
  };
}

/** A message is a request. */
function nchanTopic(topic: string, base: URL): Topic {
  return {
    ...plainTopic(topic, base),
    publish: async (texts) => {
      for (const text of texts) await send(new URL(`/publish/${topic}`, base), text);
    },
  };
}

async function send(url: URL, body: unknown): Promise<void> {
  const { status, arrivals } = await ask(url, { body });
  if (status >= 200 && status < 300) return;
  const text = Buffer.concat(arrivals.map(({ bytes }) => bytes)).toString();
  throw new Error(`${url.href} answered ${status}: ${text}`);
}
