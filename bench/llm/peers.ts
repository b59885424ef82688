/** Owns the list of who is compared. */
import type { WorkerSource } from "../support/workers.ts";

/** Someone who answers a chat request, and where. */
export interface Peer {
  readonly name: PeerName;
  readonly worker: string;
  readonly path: string;
}

export type PeerName =
  | "Sluice, /v1/chat/completions"
  | "Sluice, /api/chat"
  | "raw passthrough"
  | "byte-copy loop"
  | "hand-written handler"
  | "AI SDK";

/** Ours first; the order in which the tables show them. */
export const PEERS: readonly Peer[] = [
  { name: "Sluice, /v1/chat/completions", worker: "sluice", path: "/v1/chat/completions" },
  { name: "Sluice, /api/chat", worker: "sluice", path: "/api/chat" },
  { name: "raw passthrough", worker: "raw", path: "/" },
  { name: "byte-copy loop", worker: "copy", path: "/" },
  { name: "hand-written handler", worker: "hand-written", path: "/" },
  { name: "AI SDK", worker: "ai-sdk", path: "/" },
];

/** The Workers behind them, all asking the provider at this address. */
export function peerWorkers(baseUrl: string): readonly WorkerSource[] {
  const vars = { OPENAI_BASE_URL: baseUrl };
  return [
    { name: "sluice", entry: "src/index.ts", vars: { ...vars, ALLOWED_MODELS: "*" } },
    ...["raw", "copy", "hand-written", "ai-sdk"].map((name) => ({
      name,
      entry: `bench/peers/llm/${name}.ts`,
      vars,
    })),
  ];
}
