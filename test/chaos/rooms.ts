/**
 * Owns the scenario of a room over bad networks: members who publish, write to each other, read with
 * interruptions and reload their pages with messages unsent.
 */
import { expect } from "vitest";
import { type Client, createClient, type Room, type RoomItem } from "../../src/client/index.ts";
import { memoryOutbox } from "../../src/client/outbox/memory.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { until } from "../support/until.ts";
import { ask, type BadNetwork, dawdle, openBadNetwork, type Server } from "./scene.ts";

const MEMBERS = ["ann", "bob"] as const;

/** The last message: published by nobody in the room, when everything else is stored. */
const LAST = "last";

/** Characters of a large message: several packets. */
const LARGE = 20_000;

/** What is compared of a message. */
interface Told {
  readonly position: string;
  readonly sender: string;
  readonly event: string;
  readonly payload: unknown;
  readonly id: string;
}

/** Lets members talk. @throws when a member's log is not the room's. */
export async function rooms(server: Server, seed: number): Promise<void> {
  const random = new SeededRandom(seed * 1000);
  const room = `chaos-${seed}`;
  const people = MEMBERS.map((name) => new Person(name, room, random));
  await using first = await openBadNetwork(server, seed * 1000 + 1);
  await using second = await openBadNetwork(server, seed * 1000 + 2);
  for (const [index, person] of people.entries()) person.open(index === 0 ? first : second);
  try {
    const reading = people.map((person) => person.listen());
    await Promise.all(people.map((person) => person.talk()));
    await Promise.all(people.map((person) => person.drain()));
    await ask(server, `/v1/rooms/${room}/messages`, { event: LAST, payload: null, id: LAST });
    await Promise.all(reading);

    const { messages } = (await ask(server, `/v1/rooms/${room}/messages?limit=1000`)) as {
      readonly messages: readonly Told[];
    };
    for (const person of people) {
      const { name, sent, heard } = person;
      const own = messages.filter(({ sender }) => sender === name);
      // Once each, and in the order in which they were sent.
      expect(own.map(({ id }) => id)).toEqual(sent.filter(({ to }) => !to).map(({ id }) => id));
      expect(heard.filter(({ kind }) => kind === "message").map(strip)).toEqual(
        messages.map(strip),
      );
      expect(heard.filter(({ kind }) => kind === "gap" || kind === "invalid")).toEqual([]);
      const mail = people.flatMap((other) => other.sent.filter(({ to }) => to === name));
      const ids = (): readonly string[] =>
        heard.flatMap((item) => (item.kind === "direct" ? [item.id] : []));
      await until("all direct messages", () => ids().length >= mail.length);
      expect(ids()).toEqual(mail.map(({ id }) => id));
      // Whoever was told the number of a message was told the one it has.
      for (const [id, seq] of person.acked) {
        const position = messages.find((message) => message.id === id)?.position;
        if (position !== undefined) expect(Number(position.split("_")[1])).toBe(seq);
      }
    }
  } finally {
    for (const person of people) person.close();
  }
}

function strip(message: object): Told {
  const { position, sender, event, payload, id } = message as Told;
  return { position, sender, event, payload, id };
}

class Person {
  readonly name: (typeof MEMBERS)[number];
  /** In the order of sending. */
  readonly sent: { readonly id: string; readonly to: string | undefined }[] = [];
  readonly heard: RoomItem[] = [];
  readonly acked = new Map<string, number>();
  readonly #roomName: string;
  readonly #random: SeededRandom;
  readonly #storage = memoryOutbox();
  readonly #isSaving: boolean;
  #network: BadNetwork | undefined;
  #client: Client | undefined;
  #room: Room | undefined;

  constructor(name: (typeof MEMBERS)[number], roomName: string, random: SeededRandom) {
    this.name = name;
    this.#roomName = roomName;
    this.#random = random;
    // Who does not keep what waits must not reload before it is sent.
    this.#isSaving = random.chance(0.7);
  }

  open(network: BadNetwork): void {
    this.#network = network;
    this.#load();
  }

  close(): void {
    this.#client?.close();
  }

  /** Sends many at once, which wait in the outbox, and now and then waits itself until one is stored. */
  async talk(): Promise<void> {
    const count = this.#random.between(5, 15);
    for (let n = 0; n < count; n += 1) {
      const id = `${this.name}.${n}`;
      const to = this.#random.chance(0.25) ? MEMBERS.find((name) => name !== this.name) : undefined;
      this.sent.push({ id, to });
      const payload = { n, filling: this.#random.chance(0.1) ? "x".repeat(LARGE) : "" };
      const sending = this.#send(id, to, payload);
      if (this.#random.chance(0.4)) await sending;
    }
  }

  /** Resolves when nothing waits any more, on whichever page. */
  async drain(): Promise<void> {
    for (;;) {
      const room = this.#room;
      await Promise.race([room?.outbox.drained(), gone(room)]);
      if (room === this.#room) return;
    }
  }

  /** Reads to the last message; leaves now and then and comes back, also as a page that was loaded again. */
  async listen(): Promise<void> {
    while (!this.heard.some((item) => item.kind === "message" && item.event === LAST)) {
      const room = this.#room;
      if (room === undefined) return;
      for await (const item of room) {
        this.heard.push(item);
        await dawdle(this.#random);
        if (item.kind === "message" && item.event === LAST) break;
        if (this.#random.chance(0.1)) break;
      }
      if (this.#isSaving && this.#random.chance(0.4)) this.#load();
    }
    // Direct messages have no place among the others: some may still come.
    this.#room?.subscribe((item) => {
      this.heard.push(item);
    });
  }

  async #send(id: string, to: string | undefined, payload: unknown): Promise<void> {
    const room = this.#room;
    try {
      const receipt = await (to === undefined
        ? room?.publish("said", payload, { id })
        : room?.direct(to, "told", payload, { id }));
      if (receipt !== undefined && to === undefined) this.acked.set(id, receipt.seq);
    } catch (error) {
      // The page went away; the next one sends it.
      if (room === this.#room) throw error;
    }
  }

  /** The page begins, or begins anew: what it had is gone, but for what it kept. */
  #load(): void {
    const { position, mail } = this.#room ?? { position: undefined, mail: 0 };
    this.#room = undefined;
    this.#client?.close();
    if (this.#network === undefined) return;
    this.#client = createClient(this.#network.options);
    this.#room = this.#client.room(this.#roomName, {
      member: this.name,
      ...(position === undefined ? { history: 1000 } : { after: position, mail }),
      outbox: this.#isSaving ? { storage: this.#storage } : {},
      credit: { messages: this.#random.pick([2, 256]), bytes: 1024 * 1024 },
    });
    void this.#room.join().catch(() => {});
  }
}

/** Resolves when a room is closed. */
function gone(room: Room | undefined): Promise<void> {
  return new Promise((resolve) => {
    room?.state.onChange(() => {
      if (room.state.get().kind === "closed") resolve();
    });
  });
}
