/** What becomes of stored answers that nobody watches, as it was asked for and as the operator allows. */
import { beforeEach, expect, test } from "vitest";
import {
  GenerationClient,
  generationOf,
  messages,
  readUntil,
} from "../support/generation-client.ts";
import { ROLE, chunk } from "../support/openai-events.ts";
import { serveGenerations } from "../support/serve-generations.ts";
import { startWorker } from "../support/start-worker.ts";
import { until } from "../support/until.ts";
import { stallsAfter } from "../support/upstream-scripts.ts";

const server = serveGenerations();

beforeEach(() => {
  server.upstream.reply(stallsAfter([ROLE, chunk({ content: "half" })]));
});

const state = async (id: string): Promise<string> =>
  (await server.client.describe(id)).generation.state;

const stopped = async (id: string): Promise<void> => {
  await until("the answer to be stopped", async () => (await state(id)) === "stopped");
};

/** Reads a little and leaves. */
async function leave(answering: Promise<Response>): Promise<string> {
  const response = await answering;
  await readUntil(response, (text) => text.includes("half"));
  return generationOf(response);
}

const withHeader = (policy: string): Promise<string> =>
  leave(server.client.start({}, { "sluice-when-abandoned": policy }));

test("[L3] it goes on, is stopped, or is stopped after a while", async () => {
  const going = await withHeader("continue");
  await stopped(await withHeader("cancel"));
  expect(await state(going)).toBe("running");
  await server.client.stop(going);
  const graced = await withHeader("grace=1");
  expect(await state(graced)).toBe("running");
  await stopped(graced);
  await until("every socket to close", () => server.upstream.openSockets() === 0);
});

test("[L3][E1] both routes take it as a field of the body, too, and no provider gets to see it", async () => {
  const field = { when_abandoned: "cancel" };
  const ui = { id: "chat", messages: [{ role: "user", parts: [{ type: "text", text: "Hi" }] }] };
  for (const [path, body] of [
    ["/v1/chat/completions", { messages, stream: true, store: true }],
    ["/api/chat", { messages }],
    ["/api/chat", ui],
  ] as const) {
    await stopped(await leave(server.client.post(path, { ...body, ...field })));
  }
  // The header is nearer to whoever operates a server.client.
  const headers = { "sluice-when-abandoned": "continue" };
  const going = await leave(server.client.start(field, headers));
  await stopped(await leave(server.client.start(field)));
  expect(await state(going)).toBe("running");
  await server.client.stop(going);
  for (const { body } of server.upstream.exchanges)
    expect(body).not.toHaveProperty("when_abandoned");
});

test("[L3][W4] what is no policy, or none that the operator allows, is refused", async () => {
  await using bounded = await startWorker({
    ...server.vars,
    ALLOWED_WHEN_ABANDONED: "cancel,grace",
    STORE_WHEN_ABANDONED: "cancel",
    MAX_GRACE_S: "1",
  });
  const strict = new GenerationClient(bounded.origin);
  for (const policy of ["perhaps", "grace=soon", "continue", 7, { kind: "cancel" }]) {
    const refused = await strict.start({ when_abandoned: policy });
    expect(await refused.json()).toMatchObject({
      code: "invalid_request",
      param: "when_abandoned",
    });
  }
  const refused = await strict.start({}, { "sluice-when-abandoned": "continue" });
  expect(await refused.json()).toMatchObject({
    param: "Sluice-When-Abandoned",
    detail: "Expected cancel or grace=<seconds>.",
  });
  // More grace than there may be is as much as there may be.
  for (const fields of [{}, { when_abandoned: "grace=3600" }]) {
    const id = await leave(strict.start(fields));
    await until(
      "the answer to be stopped",
      async () => (await strict.describe(id)).generation.state === "stopped",
    );
  }
});
