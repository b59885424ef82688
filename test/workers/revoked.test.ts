/** Who comes with a token that was taken back learns nothing, and leaves nothing. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import {
  DOOR_HEADER,
  PERMIT_HEADER,
  START_HEADER,
} from "../../durable-objects/platform/headers.ts";
import { defaultSettings } from "../../durable-objects/topic/settings.ts";
import { encodePermit } from "../../src/protocol/permit.ts";
import { encodeStart } from "../../src/protocol/reader-start.ts";

const LIFETIME_S = 3_600;

/** A socket's request as the Worker sends it, for a token of this subject. */
function requestOf(subject: string, more: Readonly<Record<string, string>> = {}): Request {
  return new Request("https://object/", {
    headers: {
      upgrade: "websocket",
      [DOOR_HEADER]: "viewer",
      [PERMIT_HEADER]: encodePermit({ can: ["read"], subject }),
      ...more,
    },
  });
}

test("[I8] a closed topic tells a revoked token nothing, not even that its end is known", async () => {
  const topic = env.TOPICS.getByName("revoked-end");
  await topic.create(defaultSettings("application/json"));
  const closed = await topic.append({
    events: [],
    contentType: "application/json",
    close: { outcome: "completed", data: "" },
  });
  expect(closed.ok).toBe(true);
  const { epoch, tail } = await topic.read("start", { maxBytes: 1, maxEntries: 1 });
  const end = { [START_HEADER]: encodeStart({ epoch, seq: tail + 1 }) };
  await topic.revoke({ subject: "mallory" }, LIFETIME_S);
  const refused = await topic.fetch(requestOf("mallory", end));
  expect([refused.status, await refused.json()]).toMatchObject([403, { code: "token_revoked" }]);
  expect((await topic.fetch(requestOf("ann", end))).status).toBe(204);
});

test("[I8] a revoked token does not make a room", async () => {
  const room = env.ROOMS.getByName("revoked-first");
  await room.revoke({ subject: "mallory" }, LIFETIME_S);
  expect((await room.fetch(requestOf("mallory"))).status).toBe(403);
  const tables = await runInDurableObject(room, (_object, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_master WHERE name LIKE 'log%'").toArray(),
  );
  expect(tables).toEqual([]);
  const letIn = await room.fetch(requestOf("ann"));
  expect(letIn.status).toBe(101);
  letIn.webSocket?.accept();
  letIn.webSocket?.close();
});
