/**
 * Owns what tests of stored answers share: a Worker, the scripted provider behind it, and a bare client,
 * for all tests of a file. Refuses to know what is tested.
 */
import { afterAll, beforeAll } from "vitest";
import { GenerationClient } from "./generation-client.ts";
import { type ScriptedUpstream, startUpstream } from "./scripted-upstream.ts";
import { type RunningWorker, startWorker } from "./start-worker.ts";

/** What runs while the tests of a file do. */
export interface GenerationServer {
  readonly upstream: ScriptedUpstream;
  readonly worker: RunningWorker;
  readonly client: GenerationClient;
  /** The Worker's variables, for others like it. */
  readonly vars: Readonly<Record<string, string>>;
}

/** Starts both before the first test of the file, and stops them after the last. */
export function serveGenerations(more: Readonly<Record<string, string>> = {}): GenerationServer {
  let running: GenerationServer | undefined;
  const server = (): GenerationServer => {
    if (running === undefined) throw new Error("Nothing is served outside tests.");
    return running;
  };
  beforeAll(async () => {
    const upstream = await startUpstream();
    const vars = {
      OPENAI_BASE_URL: upstream.baseURL,
      OPENAI_MODEL: "test-model",
      // A connection that was closed politely is noticed at the next write.
      KEEPALIVE_MS: "200",
      ...more,
    };
    const worker = await startWorker(vars);
    running = { upstream, worker, vars, client: new GenerationClient(worker.origin) };
  });
  afterAll(async () => {
    await running?.worker[Symbol.asyncDispose]();
    await running?.upstream[Symbol.asyncDispose]();
  });
  return {
    get upstream() {
      return server().upstream;
    },
    get worker() {
      return server().worker;
    },
    get client() {
      return server().client;
    },
    get vars() {
      return server().vars;
    },
  };
}
