/** A server that is killed without a warning in the middle of an answer, and comes back. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { GenerationClient, generationOf, readUntil } from "../support/generation-client.ts";
import { ROLE, chunk } from "../support/openai-events.ts";
import { startUpstream } from "../support/scripted-upstream.ts";
import { startWorker } from "../support/start-worker.ts";
import { stallsAfter } from "../support/upstream-scripts.ts";

const RESTART_TIMEOUT_MS = 120_000;

test(
  "[I6][L5] after SIGKILL in mid-answer its viewers get what was stored, and that it was interrupted",
  async () => {
    const said = ["Grüße", " aus", " 東京"];
    await using upstream = await startUpstream(
      stallsAfter([ROLE, ...said.map((content) => chunk({ content }))]),
    );
    const directory = await mkdtemp(join(tmpdir(), "sluice-restart-"));
    const vars = { OPENAI_BASE_URL: upstream.baseURL, OPENAI_MODEL: "test-model" };
    try {
      let id: string;
      let before: string;
      {
        await using server = await startWorker(vars, { storage: directory });
        const client = new GenerationClient(server.origin);
        const response = await client.start();
        id = generationOf(response);
        const enough = (text: string): boolean => text.includes("東京");
        before = await readUntil(response, enough);
        expect((await client.describe(id)).generation.state).toBe("running");
        await server.kill();
      }
      await using server = await startWorker(vars, { storage: directory });
      const client = new GenerationClient(server.origin);
      const after = await (await client.watch(id)).text();
      expect(after.startsWith(before)).toBe(true);
      expect(after).toMatch(/"code":"generation_interrupted"[^\n]*\n\n$/);
      expect(await client.describe(id)).toMatchObject({
        generation: { state: "interrupted" },
        choices: [{ message: { content: said.join("") }, finish_reason: null }],
        usage: { estimated: true },
      });
      expect(await (await client.watch(id)).text()).toBe(after);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
  RESTART_TIMEOUT_MS,
);
