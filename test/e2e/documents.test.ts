/** Shared documents from end to end: real sockets, a network that breaks, a process that is killed (W7, W3, I2). */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Doc, type Text } from "yjs";
import { createClient } from "../../src/client/index.ts";
import type { Client } from "../../src/client/types.ts";
import { openDocument, type SharedDocument } from "../../src/client/yjs/index.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { openTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

/** Rooms in which nobody writes too fast, and which forget soon. */
const VARS = {
  ROOM_CLASSES: JSON.stringify({
    fast: { messagesPerSecond: 100_000, bytesPerSecond: 100_000_000, joinsPerSecond: 10_000 },
    short: { messagesPerSecond: 100_000, bytesPerSecond: 100_000_000, maxMessages: 10 },
  }),
};

/** Milliseconds between attempts, instead of seconds. */
const hurried = { random: () => Math.random() * 0.05 };

let worker: RunningWorker;
let proxy: TcpProxy;

beforeAll(async () => {
  worker = await startWorker(VARS);
  proxy = await openTcpProxy(worker.port);
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await worker[Symbol.asyncDispose]();
});

/** Somebody who writes a document. */
class Author implements Disposable {
  readonly doc = new Doc();
  readonly text: Text = this.doc.getText("text");
  readonly document: SharedDocument;
  readonly room: ReturnType<Client["room"]>;
  readonly #client: Client;

  constructor(url: string, room: string, member: string, name = "notes") {
    const options = { url, ...hurried };
    this.#client = createClient(options);
    this.room = this.#client.room(room, { member });
    this.document = openDocument(options, this.room, name, this.doc);
  }

  get written(): string {
    return this.text.toJSON();
  }

  /** For who waits in vain. */
  get told(): unknown {
    return [this.document.state.get(), this.room.state.get(), this.written.length];
  }

  get isSynced(): boolean {
    return this.document.state.get().kind === "synced";
  }

  [Symbol.dispose](): void {
    this.document.close();
    this.#client.close();
    this.doc.destroy();
  }
}

async function agree(...authors: readonly Author[]): Promise<void> {
  await until(
    "all to have the same",
    () => {
      const [first, ...others] = authors;
      return (
        authors.every(({ isSynced }) => isSynced) &&
        others.every(({ written }) => written === first?.written)
      );
    },
    () => JSON.stringify(authors.map(({ told }) => told)),
  );
}

/** Says so much else in a room. */
async function chat(room: string, count: number): Promise<void> {
  const body = JSON.stringify(Array.from({ length: count }, () => ({ event: "chat", payload: 1 })));
  const response = await fetch(`${worker.origin}/v1/rooms/${room}/messages`, {
    method: "POST",
    body,
  });
  if (!response.ok) throw new Error(await response.text());
}

test("[W7][W1] what one writes the other has, and who comes later, too", async () => {
  using ann = new Author(worker.origin, "fast:both", "ann");
  using bob = new Author(worker.origin, "fast:both", "bob");
  await Promise.all([ann.document.synced(), bob.document.synced()]);
  ann.text.insert(0, "Hello");
  bob.text.insert(0, "world");
  await agree(ann, bob);
  expect(ann.written).toHaveLength(10);
  using cem = new Author(worker.origin, "fast:both", "cem");
  await cem.document.synced();
  expect(cem.written).toBe(ann.written);
});

test("[W7] a text that no message carries comes to everybody", async () => {
  using ann = new Author(worker.origin, "fast:large", "ann");
  using bob = new Author(worker.origin, "fast:large", "bob");
  await Promise.all([ann.document.synced(), bob.document.synced()]);
  ann.text.insert(0, "x".repeat(900_000));
  await until("bob to have it", () => bob.text.length === 900_000);
  bob.text.delete(0, 899_999);
  await agree(ann, bob);
  expect(ann.written).toBe("x");
});

test("[W7][I4] who was away while the room forgot what was written has all of it", async () => {
  using ann = new Author(worker.origin, "short:away", "ann");
  await ann.document.synced();
  using bob = new Author(proxy.origin, "short:away", "bob");
  await bob.document.synced();
  proxy.cut();
  for (let n = 0; n < 10; n += 1) {
    ann.text.insert(0, `${n},`);
    await ann.document.synced();
  }
  await chat("short:away", 256);
  await chat("short:away", 256);
  bob.text.insert(0, "bob was away");
  await agree(ann, bob);
  expect(bob.written).toContain("9,8,7,6");
  expect(ann.written).toContain("bob was away");
});

test("[W7][W3][I3] several write at once over a network that breaks, and all end up with the same", async () => {
  const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  const random = new SeededRandom(seed);
  const authors = ["ann", "bob", "cem", "dan"].map(
    (member, n) => new Author(n < 2 ? proxy.origin : worker.origin, "fast:broken", member),
  );
  try {
    let letters = 0;
    for (let round = 0; round < 60; round += 1) {
      for (const { text } of authors) {
        const at = random.between(0, text.length);
        if (random.chance(0.25)) text.delete(at, Math.min(3, text.length - at));
        else text.insert(at, "abc");
        letters += 1;
      }
      // What is said meanwhile is heard: by all, or by those whose network is whole.
      if (random.chance(0.2)) await agree(...authors);
      if (random.chance(0.2)) proxy.cut();
      if (random.chance(0.5)) await agree(...authors.slice(2));
    }
    expect(letters).toBe(240);
    await agree(...authors);
    using late = new Author(worker.origin, "fast:broken", "late");
    await late.document.synced();
    expect(late.written, `SEED=${seed}`).toBe(authors[0]?.written);
  } finally {
    for (const author of authors) author[Symbol.dispose]();
  }
});

test("[W7][I2] three times SIGKILL while three write: nothing that was stored is lost", async () => {
  const storage = await mkdtemp(join(tmpdir(), "sluice-documents-"));
  let own = await startWorker(VARS, { storage });
  const relay = await openTcpProxy(() => own.port);
  const authors = ["ann", "bob", "cem"].map(
    (member) => new Author(relay.origin, "short:killed", member),
  );
  try {
    let written = 0;
    for (let kill = 0; kill < 3; kill += 1) {
      await agree(...authors);
      for (let n = 0; n < 100; n += 1) {
        for (const { text } of authors) text.insert(0, `${(written += 1)},`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await own.kill();
      for (const { text } of authors) text.insert(0, `${(written += 1)},`);
      own = await startWorker(VARS, { storage });
    }
    await agree(...authors);
    // The server alone has it all: nobody else is there to tell.
    const before = authors[0]?.written;
    for (const author of authors) author[Symbol.dispose]();
    using late = new Author(own.origin, "short:killed", "late");
    await late.document.synced();
    expect(late.written).toBe(before);
    expect(new Set(late.written.split(",").filter(Boolean)).size).toBe(written);
  } finally {
    for (const author of authors) author[Symbol.dispose]();
    await relay[Symbol.asyncDispose]();
    await own[Symbol.asyncDispose]();
    await rm(storage, { recursive: true, force: true });
  }
});
