/**
 * Owns a client of rooms written from SPEC.md alone: it joins, resumes, repeats what was not
 * answered, grants credit and stays away when it should, and it writes down every promise of the
 * server that was broken. Refuses to know the sources of the protocol.
 */
import {
  type SpecError,
  type SpecFrame,
  type SpecGap,
  type SpecMessage,
  type SpecWelcome,
  decodeSpecFrame,
  encodeSpecFrame,
} from "./spec-frames.ts";

/** What a client is told at the start. */
export interface SpecClientOptions {
  /** `http://host:port`, asked before every connection: a Worker may come back elsewhere. */
  readonly origin: () => string;
  readonly room: string;
  readonly member?: string;
  readonly history?: number;
  readonly state?: unknown;
  readonly credit?: readonly [messages: number, bytes: number];
  /** Decides how long the client waits before it comes back. */
  readonly random?: () => number;
  /** Called with every message instead of keeping it in `messages`. */
  readonly onMessage?: (message: SpecMessage) => void;
}

/** The server's answer to a publish that it refused. */
class SpecRefusal extends Error {
  readonly error: SpecError;

  constructor(error: SpecError) {
    super(`${error.code}: ${error.message}`);
    this.error = error;
  }
}

interface Waiting {
  readonly frame: readonly unknown[];
  readonly resolve: (seq: number) => void;
  readonly reject: (refusal: SpecRefusal) => void;
}

/** Codes after which a client stays away (P81). */
const STAY_AWAY = new Set([1000, 1009, 4400, 4403, 4404]);
const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 30_000;
/** Bytes of frames outside the log after which a client acks although it was delivered nothing (P54). */
const OTHER_BYTES = 65_536;
/** Direct messages after which a client acks (P54). */
const OWED_MAIL = 32;

export class SpecClient implements Disposable {
  /** Messages of the room, over all connections. */
  readonly messages: SpecMessage[] = [];
  readonly mail: SpecMessage[] = [];
  readonly gaps: SpecGap[] = [];
  readonly errors: SpecError[] = [];
  /** Close codes, one for each connection that ended. */
  readonly closes: number[] = [];
  readonly welcomes: SpecWelcome[] = [];
  readonly presence = new Map<string, unknown>();
  /** Members here, by the server's count. */
  count = 0;
  /** Promises of SPEC.md that the server broke. */
  readonly violations: string[] = [];
  pongs = 0;

  readonly #options: SpecClientOptions;
  readonly #waiting = new Map<string, Waiting>();
  #socket: WebSocket | undefined;
  #welcome: SpecWelcome | undefined;
  #epoch: string | undefined;
  /** Last seq that the application has; undefined while history has yet to say where it begins. */
  #seq: number | undefined;
  #mail = 0;
  #owed = { messages: 0, bytes: 0, others: 0 };
  #mailOwed = 0;
  #attempts = 0;
  #nextId = 0;
  /** Another client of the same member counts from 1, too (P33). */
  readonly #idPrefix = crypto.randomUUID();
  #over = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;

  constructor(options: SpecClientOptions) {
    this.#options = options;
    this.#connect();
  }

  /** Whether the server has greeted the connection of now. */
  get isJoined(): boolean {
    return this.#welcome !== undefined;
  }

  /** Whether this client will not come back. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Messages sent and not yet answered. */
  get unanswered(): number {
    return this.#waiting.size;
  }

  /** Publishes; the result is the seq at which the room stored it. */
  async publish(event: string, payload: unknown, id = this.#makeId()): Promise<number> {
    return await this.#sendUntilAnswered(id, [2, id, event, payload]);
  }

  /** Sends to one member; the result is the mail number. */
  async direct(to: string, event: string, payload: unknown, id = this.#makeId()): Promise<number> {
    return await this.#sendUntilAnswered(id, [3, id, to, event, payload]);
  }

  setState(state: unknown): void {
    this.#send([5, state]);
  }

  leave(): void {
    this.#send([6]);
  }

  /** Sends the text `ping` now. */
  ping(): void {
    this.#socket?.send("ping");
  }

  /** Goes for good without a word. */
  [Symbol.dispose](): void {
    this.#over = true;
    clearTimeout(this.#retry);
    clearInterval(this.#heartbeat);
    this.#socket?.close();
  }

  #makeId(): string {
    this.#nextId += 1;
    return `${this.#idPrefix}.${this.#nextId}`;
  }

  async #sendUntilAnswered(id: string, frame: readonly unknown[]): Promise<number> {
    return await new Promise((resolve, reject) => {
      this.#waiting.set(id, { frame, resolve, reject });
      if (this.isJoined) this.#send(frame);
    });
  }

  #send(frame: readonly unknown[]): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(encodeSpecFrame(frame));
  }

  #connect(): void {
    const { origin, room } = this.#options;
    const url = `${origin().replace("http", "ws")}/v1/rooms/${encodeURIComponent(room)}`;
    const socket = new WebSocket(url, ["sluice.v1"]);
    Object.assign(socket, { binaryType: "arraybuffer" });
    this.#socket = socket;
    const openedAt = performance.now();
    socket.addEventListener("open", () => {
      if (socket.protocol !== "sluice.v1") this.violations.push("P1: subprotocol not chosen");
      this.#hello();
    });
    socket.addEventListener("message", ({ data }: { data: unknown }) => {
      if (data === "pong") this.pongs += 1;
      else if (data instanceof ArrayBuffer) this.#take(decodeSpecFrame(data), data.byteLength);
      else this.violations.push("P3: text that is not pong");
    });
    socket.addEventListener("error", () => {});
    socket.addEventListener("close", ({ code }: { code: number }) => {
      this.closes.push(code);
      const heartbeat = this.#welcome?.heartbeat;
      this.#welcome = undefined;
      clearInterval(this.#heartbeat);
      if (STAY_AWAY.has(code)) this.#over = true;
      if (this.#over) return;
      if (heartbeat !== undefined && performance.now() - openedAt > heartbeat) this.#attempts = 0;
      const bound = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#attempts);
      this.#attempts += 1;
      const random = this.#options.random ?? Math.random;
      this.#retry = setTimeout(() => this.#connect(), random() * bound);
    });
  }

  #hello(): void {
    const { member, history, state, credit } = this.#options;
    const knows = this.#epoch !== undefined && this.#seq !== undefined;
    this.#send([
      1,
      {
        ...(member === undefined ? {} : { member }),
        ...(state === undefined ? {} : { state }),
        ...(credit === undefined ? {} : { credit }),
        ...(knows ? { resume: [this.#epoch, this.#seq], mail: this.#mail } : {}),
        ...(!knows && history !== undefined ? { history } : {}),
      },
    ]);
  }

  #take(frame: SpecFrame, bytes: number): void {
    if (frame.kind !== "deliver") this.#owe({ messages: 0, bytes: 0, others: bytes });
    if (this.#welcome === undefined && frame.kind !== "welcome" && frame.kind !== "error") {
      this.violations.push(`P26: ${frame.kind} before welcome`);
    }
    switch (frame.kind) {
      case "welcome":
        return this.#join(frame);
      case "deliver":
        for (const message of frame.messages) this.#deliver(message);
        return this.#owe({ messages: frame.messages.length, bytes, others: 0 });
      case "mail":
        for (const message of frame.messages) {
          if (message.seq <= this.#mail) this.violations.push(`P61: mail ${message.seq} again`);
          this.#mail = message.seq;
          this.mail.push(message);
        }
        // A frame of mail may hold all that may be outstanding.
        this.#mailOwed += frame.messages.length;
        if (this.#mailOwed >= OWED_MAIL) this.#acknowledge();
        return;
      case "published":
        for (const [id, seq] of frame.answers) {
          this.#waiting.get(id)?.resolve(seq);
          this.#waiting.delete(id);
        }
        return;
      case "error":
        return this.#refuse(frame);
      case "presence":
        this.count = frame.count;
        if (frame.scope === "all") this.presence.clear();
        for (const [member, state] of frame.here) this.presence.set(member, state);
        for (const member of frame.gone) this.presence.delete(member);
        return;
      case "gap":
        if (this.#seq !== undefined && frame.reason === "trimmed" && frame.from !== this.#seq + 1) {
          this.violations.push(`P56: gap from ${frame.from}, the client has ${this.#seq}`);
        }
        this.gaps.push(frame);
        this.#seq = frame.to;
        return;
      case "unknown":
        return;
    }
  }

  #join(welcome: SpecWelcome): void {
    if (this.#welcome !== undefined) this.violations.push("P26: a second welcome");
    this.#welcome = welcome;
    this.welcomes.push(welcome);
    this.count = welcome.count;
    this.presence.clear();
    for (const [member, state] of welcome.members) this.presence.set(member, state);
    if (this.#epoch !== undefined && this.#epoch !== welcome.epoch) {
      this.#seq = undefined;
      this.#mail = 0;
    } else if (this.#seq === undefined && (this.#options.history ?? 0) === 0) {
      this.#seq = welcome.head;
    }
    this.#epoch = welcome.epoch;
    this.#owed = { messages: 0, bytes: 0, others: 0 };
    for (const { frame } of this.#waiting.values()) this.#send(frame);
    this.#heartbeat = setInterval(() => this.ping(), welcome.heartbeat);
  }

  #deliver(message: SpecMessage): void {
    if (this.#seq !== undefined && message.seq !== this.#seq + 1) {
      this.violations.push(`P41: ${message.seq} after ${this.#seq}`);
    }
    this.#seq = message.seq;
    if (this.#options.onMessage === undefined) this.messages.push(message);
    else this.#options.onMessage(message);
  }

  /** What has been taken is paid back at half a window (P51), and what has no window now and then (P54). */
  #owe({ messages, bytes, others }: { messages: number; bytes: number; others: number }): void {
    const owed = this.#owed;
    owed.messages += messages;
    owed.bytes += bytes;
    owed.others += others;
    const [window, windowBytes] = this.#welcome?.credit ?? [Infinity, Infinity];
    const isDue =
      owed.messages * 2 >= window || owed.bytes * 2 >= windowBytes || owed.others >= OTHER_BYTES;
    if (isDue) this.#acknowledge();
  }

  #acknowledge(): void {
    this.#owed = { messages: 0, bytes: 0, others: 0 };
    this.#mailOwed = 0;
    this.#send([4, this.#seq ?? 0, this.#mail]);
  }

  #refuse(error: SpecError): void {
    this.errors.push(error);
    if (error.id === null) return;
    const waiting = this.#waiting.get(error.id);
    if (waiting === undefined) return;
    if (error.retryAfterMs !== null) {
      setTimeout(() => this.#send(waiting.frame), error.retryAfterMs);
      return;
    }
    this.#waiting.delete(error.id);
    waiting.reject(new SpecRefusal(error));
  }
}
