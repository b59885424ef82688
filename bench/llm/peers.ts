/** Owns the list of who is compared, how each is started, and what each can do. */
import { startServing } from "../support/child.ts";
import { MEMORY, openMemoryStorage } from "../support/memory-storage.ts";
import { type RunningWorkers, type WorkerSource, startWorkers } from "../support/workers.ts";
import { findRedis } from "./redis.ts";

/** Someone who answers a chat request. */
export interface Peer {
  readonly name: PeerName;
  readonly url: URL;
  /** What a request has besides the usual fields. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The processes that serve it; undefined where it cannot be told. */
  readonly pids: readonly (number | undefined)[];
  /** The inspector's address; undefined where there is none. */
  readonly inspector: (() => Promise<URL>) | undefined;
  /** How an answer is found again; undefined where it cannot be. */
  readonly again: Again | undefined;
}

/** How an answer is found again. */
interface Again {
  /** The header that names an answer. */
  readonly header: string;
  /** Where further viewers watch it. */
  readonly watch: (id: string) => URL;
  /** Rows that were written for it; undefined where nobody counts. */
  readonly rows: ((id: string) => Promise<number>) | undefined;
}

export type PeerName =
  | "Sluice"
  | "raw passthrough"
  | "byte-copy loop"
  | "hand-written handler"
  | "AI SDK"
  | "Sluice, stored"
  | "Sluice, stored in memory"
  | "resumable-stream, Redis";

/** Who passes an answer on and forgets it, in the order in which the tables show them. */
export const DIRECT_PEER_NAMES: readonly PeerName[] = [
  "Sluice",
  "raw passthrough",
  "byte-copy loop",
  "hand-written handler",
  "AI SDK",
];

/** Those whose answers survive their connection. */
export const STORED_PEER_NAMES: readonly PeerName[] = [
  "Sluice, stored",
  "Sluice, stored in memory",
  "resumable-stream, Redis",
];

/** Peers that run. */
interface RunningPeers extends AsyncDisposable {
  readonly peers: readonly Peer[];
}

const COMPLETIONS = "/v1/chat/completions";

/** Starts everybody, all asking the provider at this address. */
export async function startPeers(baseUrl: string): Promise<RunningPeers> {
  await using started = new AsyncDisposableStack();
  const vars = { OPENAI_BASE_URL: baseUrl };
  const ours: WorkerSource = {
    name: "sluice",
    entry: "src/index.ts",
    vars: { ...vars, ALLOWED_MODELS: "*" },
    objects: { GENERATIONS: "GenerationObject", GENERATION_INDEX: "GenerationIndexObject" },
  };
  const other = (name: string): WorkerSource => ({
    name,
    entry: `bench/peers/llm/${name}.ts`,
    vars,
  });
  const workers = started.use(
    await startWorkers([
      ours,
      ...["raw", "copy", "hand-written", "ai-sdk"].map((name) => other(name)),
    ]),
  );
  const peers: Peer[] = [
    workerPeer("Sluice", workers, { worker: "sluice", path: COMPLETIONS }),
    workerPeer("raw passthrough", workers, { worker: "raw", path: "/" }),
    workerPeer("byte-copy loop", workers, { worker: "copy", path: "/" }),
    workerPeer("hand-written handler", workers, { worker: "hand-written", path: "/" }),
    workerPeer("AI SDK", workers, { worker: "ai-sdk", path: "/" }),
    storedPeer("Sluice, stored", workers),
  ];
  const storage = openMemoryStorage();
  if (storage !== undefined) {
    started.use(storage);
    const inMemory = started.use(await startWorkers([ours], storage.path));
    peers.push(storedPeer("Sluice, stored in memory", inMemory));
  } else {
    console.log(`Skipped: Sluice, stored in memory. There is no ${MEMORY}.`);
  }
  const redis = await findRedis();
  if (redis === undefined) {
    console.log("Skipped: resumable-stream, Redis. No REDIS_URL is set, no redis-server found.");
  } else {
    started.use(redis);
    const module = new URL("resumable-stream-server.ts", import.meta.url);
    const child = started.use(await startServing(module, { ...vars, REDIS_URL: redis.url }));
    const url = new URL(`http://127.0.0.1:${child.port}/`);
    peers.push({
      name: "resumable-stream, Redis",
      url,
      fields: {},
      pids: [child.pid, ...(redis.pid === undefined ? [] : [redis.pid])],
      inspector: undefined,
      again: { header: "stream-id", watch: (id) => new URL(id, url), rows: undefined },
    });
  }
  const rest = started.move();
  return { peers, [Symbol.asyncDispose]: async () => await rest.disposeAsync() };
}

function workerPeer(
  name: PeerName,
  workers: RunningWorkers,
  { worker, path }: { readonly worker: string; readonly path: string },
): Peer {
  return {
    name,
    url: new URL(path, workers.address(worker)),
    fields: {},
    pids: [workers.pid],
    inspector: async () => await workers.inspector(worker),
    again: undefined,
  };
}

function storedPeer(name: PeerName, workers: RunningWorkers): Peer {
  const direct = workerPeer(name, workers, { worker: "sluice", path: COMPLETIONS });
  const at = (id: string, what: string): URL => new URL(`${COMPLETIONS}/${id}/${what}`, direct.url);
  return {
    ...direct,
    fields: { store: true },
    again: {
      header: "sluice-generation",
      watch: (id) => at(id, "events"),
      rows: async (id) => {
        const response = await fetch(at(id, "stats"));
        return ((await response.json()) as { readonly rowsWritten: number }).rowsWritten;
      },
    },
  };
}
