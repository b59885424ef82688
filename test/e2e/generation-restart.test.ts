/** A server that is killed without a warning in the middle of an answer, and comes back. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  type Described,
  GenerationClient,
  generationOf,
  readText,
  readUntil,
} from "../support/generation-client.ts";
import { ROLE, chunk } from "../support/openai-events.ts";
import { startUpstream } from "../support/scripted-upstream.ts";
import { startWorker } from "../support/start-worker.ts";
import { stallsAfter } from "../support/upstream-scripts.ts";

/** Says the same to the same question, and goes on where it is told that it was. */
const ask = { model: "demo", messages: [{ role: "user", content: "What is Sluice?" }] };

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

test(
  "[L4][I6] what SIGKILL has cut off is gone on with when asked, as an answer that begins with its text",
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "sluice-continue-"));
    try {
      let id: string;
      {
        await using server = await startWorker({}, { storage: directory });
        const response = await new GenerationClient(server.origin).start(ask);
        id = generationOf(response);
        await readUntil(response, (text) => text.split("\n\n").length > 15);
        await server.kill();
      }
      await using server = await startWorker({}, { storage: directory });
      const client = new GenerationClient(server.origin);
      const broken = await client.describe(id);
      expect(broken.generation).toMatchObject({ state: "interrupted", followed_by: null });
      const said = broken.choices[0]?.message.content ?? "";
      expect(said).toMatch(/^Demo answer/);

      const response = await client.post(`/v1/chat/completions/${id}/continue`, {});
      expect(response.headers.get("sluice-follows")).toBe(id);
      const { text } = await readText(response);
      expect(text).toMatch(/data: \[DONE\]\n\n$/);
      const next = generationOf(response);
      expect(next).not.toBe(id);
      expect(await (await client.watch(next)).text()).toBe(text);
      const whole = await client.describe(next);
      expect(whole.generation).toMatchObject({ state: "completed", follows: id });
      expect(whole.generation.continues_after).toMatch(/_0*[1-9]$/);
      // It is the very answer that would have come without the crash.
      const uncut = await client.post("/v1/chat/completions", ask);
      const { choices }: Described = await uncut.json();
      expect(whole.choices[0]?.message.content).toBe(choices[0]?.message.content);
      expect(whole.choices[0]?.message.content?.startsWith(said)).toBe(true);
      // The one that broke off stays as it is, and names the one that followed.
      expect(await client.describe(id)).toMatchObject({
        choices: [{ message: { content: said }, finish_reason: null }],
        generation: { state: "interrupted", followed_by: next },
      });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
  RESTART_TIMEOUT_MS,
);
