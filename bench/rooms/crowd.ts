/**
 * Owns many members of one room as one: joining, publishing through the first, and the moment when all
 * have everything. Fails when one of them missed, lost or repeated something. Refuses to know peers.
 */
import { now } from "../support/load-socket.ts";
import type { Member, MemberEvents, Seat } from "./member.ts";
import { Gathering } from "../support/gathering.ts";
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
  #expected = 0;
  readonly #gathering: Gathering;

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
      await crowd.#gathering.fill(options.size, JOINING_AT_ONCE, (nth) => {
        crowd.members.push(options.room.createMember(seat(nth), crowd.#events()));
      });
    } catch (error) {
      crowd[Symbol.dispose]();
      throw error;
    }
    return crowd;
  }

  private constructor({ room, size }: CrowdOptions) {
    this.#room = room;
    this.#size = size;
    this.#gathering = new Gathering(room.url.href, PATIENCE_MS);
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

  /** Asks for the delay of each delivery from now on. */
  startTiming(): void {
    this.#gathering.delays = [];
    for (const member of this.members) member.timed = true;
  }

  /** The delays since then, in milliseconds. */
  stopTiming(): readonly number[] {
    for (const member of this.members) {
      member.timed = false;
      member.settle();
    }
    return this.#gathering.delays;
  }

  /** Publishes a message; resolves when all members have it. */
  async say(): Promise<void> {
    this.#expected += this.#size;
    this.members[0]?.send(this.#frame(0, now()));
    this.#published += 1;
    await this.#complete();
    await this.#confirm();
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
    await this.#gathering.until(() => this.#gathering.heard === this.#expected);
  }

  async #confirm(): Promise<void> {
    if (this.#room.confirms) await this.#gathering.until(() => this.#confirmed === this.#published);
  }

  #events(): MemberEvents {
    return {
      ...this.#gathering.events,
      confirmed: (count) => {
        this.#confirmed += count;
        this.#gathering.look();
      },
    };
  }
}
