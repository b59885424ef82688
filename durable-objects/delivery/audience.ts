/**
 * Owns the connections of an object: how they begin, are served from the log, and end, whatever the
 * object is about. Refuses to know what its owner does with hellos and frames beyond that, and the
 * platform's names for sockets.
 */
import { CLOSE, type CloseEntry } from "../../src/protocol/close-codes.ts";
import { encodeDeliver, encodeServerFrame } from "../../src/protocol/encode-server-frame.ts";
import { SluiceError, toSluiceError } from "../../src/protocol/errors.ts";
import { FrameError, fatalFrame } from "../../src/protocol/frame-error.ts";
import type {
  AckFrame,
  ClientFrame,
  Credit,
  HelloFrame,
  Raw,
  ServerFrame,
} from "../../src/protocol/frames.ts";
import { PAGE_BYTES, READER_CREDIT, SWEEP_MS } from "../../src/protocol/limits.ts";
import { parseClientFrame } from "../../src/protocol/parse-client-frame.ts";
import type { Permit } from "../../src/protocol/permit.ts";
import { type ReaderStart, startFrom } from "../../src/protocol/reader-start.ts";
import type { Clock, Random } from "../../src/stream/clock.ts";
import type { Log } from "../log/log.ts";
import { Admission, type AdmissionSettings } from "./admission.ts";
import {
  acceptConnection,
  type Connection,
  type Door,
  restoreConnection,
  saveConnection,
} from "./connection.ts";
import { ControlChannel } from "./control-channel.ts";
import { ExpiryWatch } from "./expiry-watch.ts";
import { FanOut, type LaggardPolicy, type ReadableLog } from "./fan-out.ts";
import { grantCredit } from "./grant-credit.ts";
import { FrameBudget } from "./frame-budget.ts";
import { Greetings } from "./greetings.ts";
import { pageFrames } from "./page-frames.ts";
import type { Host } from "./host.ts";
import { MAX_FLUSHES, SizeIndex } from "./size-index.ts";
import type { SocketLike } from "./socket.ts";
import { judge } from "./sweep.ts";
import type { Turns } from "./spread.ts";
import type { Rate } from "./token-bucket.ts";
import { describeWelcome } from "./welcome.ts";

/** How many are let in, and how long who takes nothing is kept. */
export interface AudienceSettings extends AdmissionSettings {
  readonly laggards: LaggardPolicy;
  /** Milliseconds a connection may take nothing although something waits for it. */
  readonly patienceMs: number;
  /** Frames of any kind that one connection may send; a generous default when not set. */
  readonly frameRate?: Rate;
  /** The largest window granted, where it is less than the protocol's. */
  readonly credit?: Credit | undefined;
}

/** The part of a log that an audience reads. */
type AudienceLog = ReadableLog & Pick<Log, "epoch" | "resolve" | "sizesAfter" | "bytesEver">;

interface AudienceOptions {
  readonly log: AudienceLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: () => string;
  readonly settings: AudienceSettings;
  /** When the runtime last answered a heartbeat on a socket, in milliseconds since 1970. */
  readonly lastBeat: (socket: SocketLike) => number | undefined;
  /** Takes an unexpected error; the client is told no more than that there was one. */
  readonly report: (error: SluiceError) => void;
  readonly host: Host;
  /** For whoever has so many connections that sending to all takes a while. */
  readonly turns?: Turns | undefined;
}

export class Audience {
  readonly control: ControlChannel;
  readonly #options: AudienceOptions;
  readonly #connections = new Map<SocketLike, Connection>();
  readonly #greetings: Greetings;
  readonly #fanOut: FanOut;
  readonly #sizes: SizeIndex;
  readonly #admission: Admission;
  /** Frames that each connection may send. */
  readonly #frames: FrameBudget;
  readonly #expiry = new ExpiryWatch(() => this.#options.clock.now());
  #sweptAt: number;

  constructor(options: AudienceOptions) {
    const { log, clock, settings } = options;
    this.#options = options;
    this.#sweptAt = clock.now();
    this.#admission = new Admission(options);
    this.#frames = new FrameBudget(clock, settings.frameRate);
    this.#sizes = new SizeIndex(log.tail, log.bytesEver);
    this.#greetings = new Greetings(clock, () => {
      this.sweep();
    });
    const drop = (connection: Connection): void => {
      this.end(connection, CLOSE.slowConsumer);
    };
    this.control = new ControlChannel({
      drop,
      catchUp: (connection) => this.#fanOut.catchUp(connection),
    });
    this.#fanOut = new FanOut({
      log,
      sizes: this.#sizes,
      frames: pageFrames,
      clock,
      // Asked for each time: an object may learn its settings after its first connection came.
      get policy() {
        return settings.laggards;
      },
      pageBytes: PAGE_BYTES,
      drop,
      onLive: (connection) => options.host.onLive?.(connection),
      turns: options.turns,
      onDelivered: () => options.host.onDelivered?.(),
    });
  }

  /** Connections, whatever they are doing. */
  get size(): number {
    return this.#connections.size;
  }

  connections(): Iterable<Connection> {
    return this.#connections.values();
  }

  /** Takes up sockets that outlived the object's memory; returns those that have been greeted. */
  restore(sockets: readonly SocketLike[]): readonly Connection[] {
    const served: Connection[] = [];
    for (const socket of sockets) {
      const connection = restoreConnection(socket);
      if (connection === undefined) {
        socket.close(CLOSE.restart.code, CLOSE.restart.meaning);
        continue;
      }
      this.#connections.set(socket, connection);
      this.#fanOut.restore(connection);
      this.#expiry.expect(connection);
      if (connection.phase.kind === "greeting") this.#greetings.expect(connection);
      else served.push(connection);
    }
    this.#restoreSizes(served);
    return served;
  }

  /** Lets a connection in, or throws what {@link Admission.admit} says. */
  admit(): void {
    this.#admission.admit(this.size);
  }

  /**
   * A socket has been accepted. A reader of whom it is known where to begin is served at once; of
   * everybody else the hello is awaited.
   */
  connect(socket: SocketLike, facts: { door: Door; permit: Permit }, start?: ReaderStart): void {
    const { clock, newId } = this.#options;
    const joinedAt = clock.now();
    const connection = acceptConnection(socket, { ...facts, id: newId(), joinedAt });
    this.#connections.set(socket, connection);
    this.#expiry.expect(connection);
    this.#greetings.expect(connection);
    if (start !== undefined) this.#serve(connection, { start, credit: READER_CREDIT });
  }

  /** A connection may from now on do something else, and for another time. */
  renew(connection: Connection, permit: Permit): void {
    connection.permit = permit;
    saveConnection(connection);
    this.#expiry.expect(connection);
    this.send(connection, { kind: "renewed", expiresIn: this.#expiry.leftFor(connection) });
  }

  /** Takes a message from a socket. Whatever is wrong with it harms its sender only (W4). */
  receive(socket: SocketLike, message: string | ArrayBuffer): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) {
      socket.close(CLOSE.serverError.code, CLOSE.serverError.meaning);
      return;
    }
    // The alarm that ends it may come late.
    if (this.#expiry.leftFor(connection) === 0) {
      this.end(connection, CLOSE.tokenInvalid);
      return;
    }
    // Whatever a frame says, taking it costs the object's one thread: nobody may have it for himself.
    const wait = this.#frames.take(connection);
    if (wait > 0) {
      this.refuse(connection, new SluiceError("rate_limited", { retryAfter: wait / 1000 }));
      this.end(connection, CLOSE.tooManyMessages);
      return;
    }
    try {
      this.#handle(connection, parseClientFrame(message));
    } catch (thrown) {
      this.refuse(connection, toSluiceError(thrown));
      // Answering nonsense costs as much as answering sense.
      this.#options.host.onRefused?.(connection);
    }
    if (connection.phase.kind !== "greeting") this.#greetings.settle(connection);
    if (this.#options.clock.now() - this.#sweptAt >= SWEEP_MS) this.sweep();
  }

  /** A socket is gone, however it went. */
  disconnect(socket: SocketLike): void {
    let connection = this.#connections.get(socket);
    if (connection === undefined) {
      // The socket whose close wakes the object is not among those that it finds then.
      connection = restoreConnection(socket);
      if (connection === undefined) return;
      this.#connections.set(socket, connection);
    }
    this.#forget(connection);
  }

  /** Whether a flush has left to some and not to all; the host is told when it has. */
  get isDelivering(): boolean {
    return this.#fanOut.isDelivering;
  }

  /** Hands a flush that has just been appended to everyone who is live: the same bytes to all. */
  deliver(flush: { first: number; count: number; entries: Uint8Array }): void {
    const { first, count, entries } = flush;
    this.#fanOut.deliver(encodeDeliver(first, count, entries), first - 1);
    this.#sizes.record(first + count - 1, entries.byteLength);
  }

  /** Tells a connection that something was refused, and ends it when the error says so. */
  refuse(connection: Connection, error: SluiceError, about?: string): void {
    if (error.code === "internal") this.#options.report(error);
    this.send(connection, {
      kind: "error",
      id: about ?? (error instanceof FrameError ? error.id : undefined),
      code: error.code,
      message: error.detail,
      retryAfterMs: error.retryAfter === undefined ? undefined : Math.ceil(error.retryAfter * 1000),
    });
    if (error instanceof FrameError && error.close !== undefined) this.end(connection, error.close);
  }

  /** Tells a connection what it needs to know of the log; again when the log begins to exist. */
  welcome(connection: Connection): void {
    const { log, host } = this.#options;
    const expiresIn = this.#expiry.leftFor(connection);
    this.send(connection, describeWelcome(connection, { log, host, expiresIn }));
  }

  /** Sends a frame that belongs to no log. */
  send(connection: Connection, frame: ServerFrame<Raw>): void {
    this.control.send(connection, encodeServerFrame(frame));
  }

  /** Forgets a connection and closes its socket with a code that tells the client what to do next. */
  end(connection: Connection, { code, meaning }: CloseEntry): void {
    this.#fanOut.catchUp(connection);
    // What followed from that may have ended it, with another code.
    if (!this.#forget(connection)) return;
    connection.socket.close(code, meaning);
  }

  /** Ends the connections that are meant; returns how many. */
  endWhere(isMeant: (connection: Connection) => boolean, reason: CloseEntry): number {
    const meant = [...this.#connections.values()].filter(isMeant);
    for (const connection of meant) this.end(connection, reason);
    return meant.length;
  }

  /** Ends every connection, because the log that they read is no more. */
  endAll(reason: CloseEntry): void {
    this.endWhere(() => true, reason);
    const { tail, bytesEver } = this.#options.log;
    this.#sizes.restart(tail, bytesEver);
  }

  /** Gives up connections that are dead, silent or stalled. */
  sweep(): void {
    const { clock, lastBeat, settings } = this.#options;
    const now = clock.now();
    this.#sweptAt = now;
    this.#expiry.restart();
    for (const connection of this.#connections.values()) {
      const reason = judge(connection, {
        now,
        lastBeat: ({ socket }) => lastBeat(socket),
        isAwaited: (one) => this.#greetings.isAwaited(one),
        patienceMs: settings.patienceMs,
      });
      if (reason !== undefined) this.end(connection, reason);
      else this.#expiry.expect(connection);
    }
  }

  /** When to sweep although nothing happens, in milliseconds since 1970; undefined when nobody is here. */
  nextSweepAt(): number | undefined {
    if (this.size === 0) return undefined;
    const { clock, settings } = this.#options;
    const laggards = this.#fanOut.laggingCount > 0;
    const after = laggards ? Math.min(settings.patienceMs, SWEEP_MS) : SWEEP_MS;
    return Math.min(clock.now() + after, this.#expiry.nextAt);
  }

  /** Figures for those who watch the object. */
  stats(): Readonly<Record<"connections" | "live" | "lagging" | "outstandingBytes", number>> {
    return {
      connections: this.size,
      live: this.#fanOut.liveCount,
      lagging: this.#fanOut.laggingCount,
      outstandingBytes: this.#fanOut.outstandingBytes(),
    };
  }

  /** What is outstanding follows from the log: only what somebody has not acknowledged is looked up. */
  #restoreSizes(served: readonly Connection[]): void {
    const { log } = this.#options;
    const oldest = served.reduce((least, { acked }) => Math.min(least, acked), log.tail);
    if (oldest < log.tail) this.#sizes.restore(log.sizesAfter(oldest, MAX_FLUSHES));
  }

  #handle(connection: Connection, frame: ClientFrame): void {
    if ((connection.phase.kind === "greeting") !== (frame.kind === "hello")) {
      throw fatalFrame("unexpected_frame", "The first frame, and only it, is a hello.");
    }
    if (frame.kind === "hello") this.#greet(connection, frame);
    else if (frame.kind === "ack") this.#acknowledge(connection, frame);
    else if (connection.door === "viewer") {
      throw fatalFrame("unexpected_frame", "This connection may only read.");
    } else this.#options.host.onFrame?.(connection, frame);
  }

  #greet(connection: Connection, hello: HelloFrame): void {
    const { credit, resume, history } = hello;
    if (connection.door === "member") this.#options.host.onHello?.(connection, hello);
    this.#serve(connection, { start: startFrom(resume, history), credit });
  }

  #serve(
    connection: Connection,
    { start, credit }: { readonly start: ReaderStart; readonly credit: Credit | undefined },
  ): void {
    const { log, host, settings } = this.#options;
    connection.credit = grantCredit(credit, settings.credit);
    const place = log.resolve(start);
    this.welcome(connection);
    if (place.kind === "gap") this.send(connection, place);
    this.#fanOut.begin(connection, place.kind === "gap" ? place.to : place.seq);
    host.onServed?.(connection);
    saveConnection(connection);
  }

  #acknowledge(connection: Connection, ack: AckFrame): void {
    if (!this.#fanOut.acknowledge(connection, ack.seq)) {
      throw fatalFrame("bad_position", "An ack may not be beyond what was sent.");
    }
    connection.controlBytes = 0;
    this.#options.host.onAck?.(connection, ack);
    saveConnection(connection);
  }

  /** False when it was forgotten before. */
  #forget(connection: Connection): boolean {
    if (!this.#connections.delete(connection.socket)) return false;
    this.#fanOut.remove(connection);
    this.#greetings.settle(connection);
    connection.phase = { kind: "ended" };
    saveConnection(connection);
    this.#options.host.onGone?.(connection);
    return true;
  }
}
