/**
 * Owns many members of one room as one: joining, publishing through the first, and the moment when all
 * have everything. Fails when one of them missed, lost or repeated something. Refuses to know peers.
 */
import { now } from "../support/load-socket.ts";
import type { Member, MemberEvents, Seat } from "./member.ts";
import { messageText } from "../support/text.ts";

/** A room at a peer. */
export interface Room {
  readonly url: URL;
  readonly subprotocol: string | undefined;
  readonly createMember: (seat: Seat, events: MemberEvents) => Member;
  /** Whether publishing is confirmed. */
  readonly confirms: boolean;
}

interface CrowdOptions {
  readonly room: Room;
  readonly size: number;
  readonly resume?: NonNullable<Seat["resume"]>;
  /** Begins the names of the members. */
  readonly names?: string;
}

/** Bytes of a message. */
const MESSAGE_BYTES = 100;

/** Connections that are being opened at a time. */
const JOINING_AT_ONCE = 128;

/** Milliseconds after which something that should have happened has failed. */
const PATIENCE_MS = 120_000;

export class Crowd implements Disposable {
  readonly members: Member[] = [];
  readonly #room: Room;
  readonly #size: number;
  #published = 0;
  #confirmed = 0;
  #heard = 0;
  #expected = 0;
  #delays: number[] = [];
  #joined = 0;
  #failure: Error | undefined;
  /** What is waited for, and how to go on. */
  #wait: { readonly isOver: () => boolean; readonly end: (error?: Error) => void } | undefined;

  /** Opens all connections; resolves when the last of them is in. */
  static async join(options: CrowdOptions): Promise<Crowd> {
    const crowd = new Crowd(options);
    const seat = (nth: number): Seat => ({
      url: options.room.url,
      subprotocol: options.room.subprotocol,
      name: `${options.names ?? "m"}${nth}`,
      resume: options.resume,
      isWitness: nth === 0,
    });
    try {
      for (let nth = 0; nth < options.size; nth += 1) {
        await crowd.#until(() => nth - crowd.#joined < JOINING_AT_ONCE);
        crowd.members.push(options.room.createMember(seat(nth), crowd.#events()));
      }
      await crowd.#until(() => crowd.#joined === options.size);
    } catch (error) {
      crowd[Symbol.dispose]();
      throw error;
    }
    return crowd;
  }

  private constructor({ room, size }: CrowdOptions) {
    this.#room = room;
    this.#size = size;
  }

  get published(): number {
    return this.#published;
  }

  /** Publishes `count` messages at once; resolves when all members have all of them. */
  async burst(count: number): Promise<{ readonly ms: number }> {
    const sentAt = now();
    const frames = Array.from({ length: count }, (_, nth) => this.#frame(nth, sentAt));
    this.#published += count;
    this.#expected += count * this.#size;
    const startedAt = now();
    this.members[0]?.send(Buffer.concat(frames));
    await this.#complete();
    const ms = now() - startedAt;
    await this.#confirm();
    return { ms };
  }

  /** Publishes `count` messages, one every `everyMs`; returns the delay of each delivery. */
  async pace(count: number, everyMs: number): Promise<readonly number[]> {
    this.#delays = [];
    for (const member of this.members) member.timed = true;
    const beganAt = now();
    for (let nth = 0; nth < count; nth += 1) {
      await sleep(beganAt + nth * everyMs - now());
      this.#expected += this.#size;
      this.members[0]?.send(this.#frame(0, now()));
      this.#published += 1;
    }
    await this.#complete();
    await this.#confirm();
    for (const member of this.members) member.timed = false;
    return this.#delays;
  }

  /** Resolves when every member has heard `count` more messages than it had on joining. */
  async hear(count: number): Promise<void> {
    this.#expected = count * this.#size;
    await this.#complete();
  }

  /** Keeps all connections alive. */
  beat(): void {
    for (const member of this.members) {
      const heartbeat = member.heartbeat();
      if (heartbeat !== undefined) member.send(heartbeat);
    }
  }

  [Symbol.dispose](): void {
    for (const member of this.members) member[Symbol.dispose]();
  }

  #frame(nth: number, sentAt: number): Buffer {
    const index = this.#published + nth;
    const [publisher] = this.members;
    if (publisher === undefined) throw new Error("Nobody is here to publish.");
    return publisher.publishFrame(messageText(index, sentAt, MESSAGE_BYTES), index);
  }

  async #complete(): Promise<void> {
    await this.#until(() => this.#heard === this.#expected);
  }

  async #confirm(): Promise<void> {
    if (this.#room.confirms) await this.#until(() => this.#confirmed === this.#published);
  }

  #events(): MemberEvents {
    return {
      joined: () => {
        this.#joined += 1;
        this.#look();
      },
      heard: (count) => {
        this.#heard += count;
        this.#look();
      },
      delayed: (ms) => {
        this.#delays.push(ms);
      },
      confirmed: (count) => {
        this.#confirmed += count;
        this.#look();
      },
      failed: (why) => {
        this.#failure ??= new Error(`${this.#room.url.href}: ${why}`);
        this.#wait?.end(this.#failure);
      },
    };
  }

  #look(): void {
    if (this.#wait?.isOver() === true) this.#wait.end();
  }

  async #until(isOver: () => boolean): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (isOver()) return;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => {
      const seen = `${this.#joined} joined, ${this.#heard} of ${this.#expected} messages came`;
      reject(new Error(`${this.#room.url.href} took too long: ${seen}.`));
    }, PATIENCE_MS);
    this.#wait = {
      isOver,
      end: (error) => {
        if (error === undefined) resolve(undefined);
        else reject(error);
      },
    };
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#wait = undefined;
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, ms));
  });
}
