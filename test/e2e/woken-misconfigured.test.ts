/** Objects that wake by themselves, for their alarms, to a configuration that is refused. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startWorker } from "../support/start-worker.ts";
import { until } from "../support/until.ts";

/** Alarms come some seconds after what they are for, when this Worker has ended. */
const SOON = { ROOM_CLASSES: '{"default":{"maxAgeMs":4000}}', GENERATION_TTL_S: "4" };
const REFUSED = {
  ROOM_CLASSES: "nonsense",
  GENERATION_TTL_S: "soon",
  WEBHOOK_EVENTS: "room.burnt",
};
const ASK = {
  method: "POST",
  body: JSON.stringify({ store: true, messages: [{ role: "user", content: "Hello" }] }),
};

test("[E2] they keep what they have, fail nowhere, and say which variable it is", async () => {
  const storage = await mkdtemp(join(tmpdir(), "sluice-refused-"));
  try {
    let answer = "";
    {
      await using worker = await startWorker(SOON, { storage });
      const asked = await fetch(`${worker.origin}/v1/chat/completions`, ASK);
      answer = asked.headers.get("sluice-generation") ?? "";
      await asked.text();
      const said = await fetch(`${worker.origin}/v1/rooms/old/messages`, {
        method: "POST",
        body: JSON.stringify({ event: "chat", payload: "kept" }),
      });
      expect(said.status).toBe(201);
    }
    {
      await using worker = await startWorker(REFUSED, { storage });
      expect((await fetch(`${worker.origin}/healthz`)).status).toBe(503);
      const toldBy = (object: string, name: string): boolean =>
        worker.logs.some(
          (line) => line.includes(`"object":"${object}"`) && line.includes(`variable ${name}`),
        );
      await until(
        "both to have woken",
        () => toldBy("room", "ROOM_CLASSES") && toldBy("generation", "GENERATION_TTL_S"),
      );
      expect(toldBy("room", "WEBHOOK_EVENTS")).toBe(true);
      expect(worker.logs.join("\n")).not.toMatch(/constructorFailed|Uncaught|nonsense|burnt/);
    }
    await using worker = await startWorker({}, { storage });
    const messages = await fetch(`${worker.origin}/v1/rooms/old/messages`);
    expect(await messages.text()).toContain('"kept"');
    expect((await fetch(`${worker.origin}/v1/chat/completions/${answer}`)).status).toBe(200);
  } finally {
    await rm(storage, { recursive: true, force: true });
  }
});
