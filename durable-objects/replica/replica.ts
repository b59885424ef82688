/**
 * Owns a replica of a log: a copy with readers of its own, so that a log may have more of them than one object can
 * serve. Refuses to know what the log is of, who writes it, and the platform.
 *
 * Entries come from two sides: the log's object hands over what is new, and the replica reads what it lacks when
 * somebody comes. Both may repeat what is there already; nothing is stored that does not follow.
 */
import { CLOSE } from "../../src/protocol/close-codes.ts";
import { entriesLength } from "../../src/protocol/entries.ts";
import type { SluiceError } from "../../src/protocol/errors.ts";
import type { Clock, Random } from "../../src/stream/clock.ts";
import { Audience, type AudienceSettings } from "../delivery/audience.ts";
import type { Host } from "../delivery/host.ts";
import type { SocketLike } from "../delivery/socket.ts";
import type { Turns } from "../delivery/spread.ts";
import { type Gap, type Log, openLog, type Page } from "../log/log.ts";
import type { Sql } from "../log/sql.ts";
import type { Push, PushAnswer, Standing } from "./feed.ts";

/** What a replica is given from outside. */
export interface ReplicaContext {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: () => string;
  readonly settings: AudienceSettings;
  /** Sockets that are open already: those of a replica that has slept. */
  readonly sockets: readonly SocketLike[];
  /** When the runtime last answered a heartbeat on a socket, in milliseconds since 1970. */
  readonly lastBeat: (socket: SocketLike) => number | undefined;
  /** Takes an unexpected error; the client is told no more than that there was one. */
  readonly report: (error: SluiceError) => void;
  readonly turns?: Turns;
  /** Reads a page of the log that this is a replica of. */
  readonly read: (after: number, epoch: string) => Promise<Page | Gap>;
}

export class Replica implements Host {
  readonly audience: Audience;
  readonly #log: Log;
  readonly #read: ReplicaContext["read"];
  /** Readers who are about to come. */
  #awaited = 0;
  #catchingUp: Promise<void> | undefined;
  /** Whoever waits for a flush to leave to everybody. */
  #leaving: PromiseWithResolvers<void> | undefined;

  constructor(context: ReplicaContext) {
    const { sql, clock, random } = context;
    this.#read = context.read;
    // What is kept is for the log's own object to say, with every push.
    this.#log = openLog(sql, { clock, random, retention: {} });
    this.audience = new Audience({
      ...context,
      log: this.#log,
      host: this,
      turns: context.turns,
    });
    this.audience.restore(context.sockets);
  }

  /** Whether nobody reads it, nor is about to. */
  get isIdle(): boolean {
    return this.audience.size === 0 && this.#awaited === 0;
  }

  /** Sees to it that the replica is not given up until the reader who is expected is there, or does not come. */
  expectReader(): Disposable {
    this.#awaited += 1;
    return {
      [Symbol.dispose]: () => {
        this.#awaited -= 1;
      },
    };
  }

  /**
   * Reads what the replica lacks of the log as it stands; resolves when it has it.
   *
   * @throws what reading throws.
   */
  async catchUp(standing: Standing): Promise<void> {
    while (!this.#has(standing)) {
      // Many may come at once: one reading is enough for all.
      this.#catchingUp ??= this.#copy(standing).finally(() => {
        this.#catchingUp = undefined;
      });
      await this.#catchingUp;
    }
    if (standing.epoch === this.#log.epoch) this.#log.forget(standing.head - 1);
  }

  /** Takes what it is handed; resolves when that has left to everybody, who cannot be handed more until then. */
  async take({ epoch, head, page }: Push): Promise<PushAnswer> {
    // The page follows what is no more: the answer says where this one begins.
    if (epoch !== this.#log.epoch) this.#begin(epoch, head - 1);
    else this.#add(page);
    this.#log.forget(head - 1);
    if (this.isIdle) return { kind: "idle" };
    if (this.audience.isDelivering) {
      this.#leaving ??= Promise.withResolvers();
      await this.#leaving.promise;
    }
    return { kind: "following", seq: this.#log.tail };
  }

  /** Figures for those who watch the log. */
  stats(): Readonly<Record<"connections" | "live" | "lagging" | "outstandingBytes", number>> {
    return this.audience.stats();
  }

  onDelivered(): void {
    this.#leaving?.resolve();
    this.#leaving = undefined;
  }

  #has({ epoch, tail }: Standing): boolean {
    return epoch === this.#log.epoch && tail <= this.#log.tail;
  }

  async #copy({ epoch, head, tail }: Standing): Promise<void> {
    if (epoch !== this.#log.epoch) this.#begin(epoch, head - 1);
    while (epoch === this.#log.epoch && this.#log.tail < tail) {
      const page = await this.#read(this.#log.tail, epoch);
      if (epoch === this.#log.epoch) this.#add(page);
    }
  }

  #add(page: Page | Gap): void {
    if (page.kind === "gap") {
      if (page.reason === "epoch") throw new Error("the log has begun anew");
      // Whoever reads here goes on elsewhere, and is told what is lost.
      const isBehind = this.#log.tail < page.to;
      if (page.reason === "future" || isBehind) this.#begin(this.#log.epoch, page.to);
      return;
    }
    const known = this.#log.tail - page.first + 1;
    const count = page.count - known;
    // There already, or of later.
    if (count <= 0 || known < 0) return;
    const entries = page.entries.subarray(entriesLength(page.entries, known));
    const { first } = this.#log.append({ entries, count, ids: "" });
    this.audience.deliver({ first, count, entries });
  }

  /** Begins anew, with nothing, after the position `seq`. */
  #begin(epoch: string, seq: number): void {
    this.#log.reset();
    this.#log.continueFrom({ epoch, seq });
    this.audience.endAll(CLOSE.restart);
  }
}
