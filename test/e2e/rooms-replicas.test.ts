/** A room's readers, spread over replicas, over real connections: a server that is killed, and tokens taken back. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventSource } from "eventsource";
import { expect, test } from "vitest";
import { startWorker } from "../support/start-worker.ts";
import { mint, SECRET } from "../support/tokens.ts";
import { openTcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

const READERS = 40;
const KILLS = 2;
const MESSAGES = 60;
const CLASSES = JSON.stringify({ wide: { replicas: 4 } });
const ROOM = "wide:show";
const now = (): number => Math.floor(Date.now() / 1_000);

async function publish(origin: string, payload: number): Promise<void> {
  for (;;) {
    const response = await fetch(`${origin}/v1/rooms/${ROOM}/messages`, {
      method: "POST",
      body: JSON.stringify({ id: `n${payload}`, event: "tick", payload }),
    });
    if (response.status === 201) return;
    expect(response.status).toBe(503);
  }
}

test("[E3][I2][I3] browsers' EventSources on replicas have all of it once and in order, also after SIGKILL", async () => {
  const storage = await mkdtemp(join(tmpdir(), "sluice-replicas-"));
  let worker = await startWorker({ ROOM_CLASSES: CLASSES }, { storage });
  await using proxy = await openTcpProxy(() => worker.port);
  const sources: EventSource[] = [];
  const received = Array.from({ length: READERS }, () => [] as number[]);
  try {
    for (const seen of received) {
      const source = new EventSource(`${proxy.origin}/v1/rooms/${ROOM}/events`);
      source.addEventListener("tick", ({ data }) => {
        seen.push((JSON.parse(String(data)) as { payload: number }).payload);
      });
      sources.push(source);
    }
    await until("all to be open", () => sources.every(({ readyState }) => readyState === 1));
    let sent = 0;
    for (let kill = 0; kill <= KILLS; kill += 1) {
      for (let n = 0; n < MESSAGES; n += 1) await publish(worker.origin, (sent += 1));
      if (kill === KILLS) break;
      // Some have the last of it, and some have not.
      await worker.kill();
      await worker[Symbol.asyncDispose]();
      worker = await startWorker({ ROOM_CLASSES: CLASSES }, { storage });
    }
    await until(
      "all to have all",
      () => received.every((seen) => seen.length >= sent),
      () => received.map((seen) => seen.length),
    );
    const all = Array.from({ length: sent }, (_, index) => index + 1);
    for (const seen of received) expect(seen).toEqual(all);
  } finally {
    for (const source of sources) source.close();
    await worker[Symbol.asyncDispose]();
    await rm(storage, { recursive: true, force: true });
  }
});

test("[E3][I8] a token that is taken back in a room ends its readers at every replica, and no others", async () => {
  await using worker = await startWorker({ ROOM_CLASSES: CLASSES, AUTH_SECRET: SECRET });
  const iat = now() - 5;
  const admin = await mint({ [`rooms/${ROOM}`]: ["admin"] }, { sub: "boss" });
  const mallory = await mint({ [`rooms/${ROOM}`]: ["read"] }, { sub: "mallory", iat });
  const alice = await mint({ [`rooms/${ROOM}`]: ["read"] }, { sub: "alice", iat });
  const open = async (token: string): Promise<Response> =>
    await fetch(`${worker.origin}/v1/rooms/${ROOM}/events`, {
      headers: { authorization: `Bearer ${token}` },
    });
  const bad = await Promise.all(Array.from({ length: 12 }, () => open(mallory)));
  const good = await Promise.all(Array.from({ length: 4 }, () => open(alice)));
  const revoked = await fetch(`${worker.origin}/v1/rooms/${ROOM}/revocations`, {
    method: "POST",
    headers: { authorization: `Bearer ${admin}` },
    body: JSON.stringify({ sub: "mallory" }),
  });
  expect([revoked.status, await revoked.json()]).toMatchObject([201, { closed: 12 }]);
  for (const response of bad) expect(await response.text()).toContain('"code":"token_revoked"');
  for (let n = 0; n < 12; n += 1) expect((await open(mallory)).status).toBe(403);
  const stats = await fetch(`${worker.origin}/v1/rooms/${ROOM}/stats`, {
    headers: { authorization: `Bearer ${admin}` },
  });
  expect(await stats.json()).toMatchObject({ connections: 4, live: 4 });
  for (const response of good) await response.body?.cancel();
});
