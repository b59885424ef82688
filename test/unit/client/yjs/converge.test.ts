/**
 * Programs that share a document over a bad network: connections break, requests are lost, late or refused, messages are
 * no longer kept or arrive broken, pages are reloaded. At the end all have the same, and nothing is lost. `FUZZ_SEED`
 * repeats one seed, `FUZZ_SEEDS` says how many there are.
 */
import { deepStrictEqual, ok } from "node:assert/strict";
import { expect, test } from "vitest";
import * as Y from "yjs";
import { type Client, createClient, type Room } from "../../../../src/client/index.ts";
import { openDocument, type SharedDocument } from "../../../../src/client/yjs/index.ts";
import { lackingIn } from "../../../../src/client/yjs/lacking.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { note } from "../../../support/note.ts";
import { SeededRandom } from "../../../support/seeded-random.ts";
import { type Fate, FakeRoomServer } from "./fake-room-server.ts";

const ONLY = process.env["FUZZ_SEED"];
const FIRST = Number(ONLY ?? 1);
const SEEDS = ONLY === undefined ? Number(process.env["FUZZ_SEEDS"] ?? 100) : 1;

const STEPS = 40;

/** Milliseconds for all seeds on a slow, busy machine. */
const PATIENCE_MS = 240_000;
const NAME = "notes";

/** A program with the document open, which can be reloaded. */
class Program {
  readonly #server: FakeRoomServer;
  readonly #chance: SeededRandom;
  readonly #index: number;
  doc: Y.Doc;
  client!: Client;
  room!: Room;
  document!: SharedDocument;

  constructor(server: FakeRoomServer, chance: SeededRandom, index: number) {
    this.#server = server;
    this.#chance = chance;
    this.#index = index;
    this.doc = this.#newDoc();
    this.open();
  }

  open(): void {
    const options = this.#server.options(this.#chance.next);
    this.client = createClient(options);
    this.room = this.client.room("r", { member: `m${this.#index}` });
    this.document = openDocument(options, this.room, NAME, this.doc);
    const { document, doc } = this;
    document.state.onChange(() => {
      if (document.state.get().kind !== "synced") return;
      const stored = Y.encodeStateAsUpdate(this.#server.doc(NAME));
      ok(lackingIn([stored], doc) === undefined, "synced, and not stored");
    });
  }

  close(): void {
    const chance = this.#chance;
    chance.pick<{ close(): void }>([this.document, this.room, this.client]).close();
    this.client.close();
    deepStrictEqual(this.document.state.get().kind, "closed");
    // What a database of the page keeps is all that is left of the document.
    const kept = this.doc;
    this.doc = this.#newDoc();
    Y.applyUpdate(this.doc, Y.encodeStateAsUpdate(kept));
    kept.destroy();
  }

  edit(mark: string): void {
    const { doc } = this;
    const chance = this.#chance;
    doc.transact(() => {
      doc.getArray<string>("marks").insert(chance.between(0, doc.getArray("marks").length), [mark]);
      const text = doc.getText("text");
      const at = chance.between(0, text.length);
      if (chance.chance(0.4)) text.delete(at, Math.min(chance.between(0, 4), text.length - at));
      else text.insert(at, mark);
      if (chance.chance(0.03)) doc.getMap("map").set(mark, "x".repeat(70_000));
      else doc.getMap("map").set(String(chance.between(0, 3)), mark);
    });
  }

  #newDoc(): Y.Doc {
    const doc = new Y.Doc();
    // Which of two that insert at one place goes first depends on it.
    doc.clientID = this.#chance.between(1, 2 ** 31);
    return doc;
  }
}

const contentOf = (doc: Y.Doc): unknown => ({
  marks: doc.getArray("marks").toJSON(),
  text: doc.getText("text").toJSON(),
  map: doc.getMap("map").toJSON(),
});

function spoil(server: FakeRoomServer, chance: SeededRandom): void {
  server.latency = () => (chance.chance(0.2) ? chance.between(100, 2_000) : chance.between(0, 30));
  server.isUp = () => chance.chance(0.7);
  server.fate = (): Fate => {
    const there = chance.between(0, chance.chance(0.2) ? 3_000 : 50);
    const back = chance.between(0, chance.chance(0.2) ? 40_000 : 50);
    if (chance.chance(0.6)) return { there, back };
    return { there, back, trouble: chance.pick(["lost", "unanswered", "busy"]) };
  };
  server.refuse = () => {
    if (chance.chance(0.9)) return undefined;
    return chance.chance(0.5)
      ? { code: "rate_limited", retryAfterMs: 200 }
      : { code: "document_full", retryAfterMs: undefined };
  };
  server.distort = (payload) => (chance.chance(0.02) ? Uint8Array.of(7, 7, 7) : payload);
}

function heal(server: FakeRoomServer): void {
  const fresh = new FakeRoomServer(server.clock);
  const { latency, isUp, fate, refuse, distort } = fresh;
  Object.assign(server, { latency, isUp, fate, refuse, distort });
}

async function run(seed: number): Promise<void> {
  const chance = new SeededRandom(seed);
  const clock = new FakeClock();
  const server = new FakeRoomServer(clock);
  spoil(server, chance);
  const programs = Array.from(
    { length: chance.between(2, 4) },
    (_, index) => new Program(server, chance, index),
  );
  const marks: string[] = [];
  for (let step = 0; step < STEPS; step += 1) {
    const program = chance.pick(programs as [Program, ...Program[]]);
    const dice = chance.next();
    if (dice < 0.6) {
      const mark = `${step}.`;
      marks.push(mark);
      program.edit(mark);
    } else if (dice < 0.75) {
      for (const link of server.links) if (chance.chance(0.4)) link.fail();
    } else if (dice < 0.8) server.trim();
    else if (dice < 0.85) {
      program.close();
      if (chance.chance(0.5)) program.edit(`${step}.`);
      if (program.doc.getArray("marks").toJSON().includes(`${step}.`)) marks.push(`${step}.`);
      program.open();
    } else if (dice < 0.88) {
      server.say({ sender: "", event: `doc:${NAME}`, payload: null, id: `look ${step}` });
    }
    if (chance.chance(0.7))
      await clock.advance(chance.between(0, chance.chance(0.1) ? 30_000 : 300));
  }
  heal(server);
  // Requests that were answered before may still come back.
  await clock.advance(60_000);
  // Everyone has a new connection, which tries again what was refused.
  for (const link of server.links) link.fail();
  const isDone = (): boolean =>
    programs.every(({ document, doc }) => {
      if (document.state.get().kind !== "synced") return false;
      return lackingIn([Y.encodeStateAsUpdate(doc)], server.doc(NAME)) === undefined;
    });
  await clock.advanceUntil(isDone);
  const content = contentOf(server.doc(NAME));
  for (const { doc } of programs) deepStrictEqual(contentOf(doc), content);
  const stored = server.doc(NAME).getArray<string>("marks").toJSON() as readonly string[];
  deepStrictEqual(stored.toSorted(), marks.toSorted());
  for (const { document, client, doc } of programs) {
    document.close();
    client.close();
    for (const event of ["update", "destroy"]) ok(!doc._observers.has(event), event);
  }
  // What is on its way arrives nowhere; nothing is begun with.
  const asked = server.asked.length;
  await clock.advance(120_000);
  deepStrictEqual(clock.armed, 0, "a timer is left");
  ok(server.asked.length === asked, "something is asked after the end");
}

test(
  `[W7][W3] programs behind a bad network converge, and nothing is lost: ${SEEDS} seeds`,
  async () => {
    const begin = performance.now();
    const failures: string[] = [];
    for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
      try {
        await run(seed);
      } catch (error) {
        failures.push(`seed ${seed}: ${String(error)}`);
      }
    }
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    note(`documents: seeds ${FIRST} to ${FIRST + SEEDS - 1}, ${seconds} s`);
    expect(failures).toEqual([]);
  },
  PATIENCE_MS,
);
