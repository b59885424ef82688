/**
 * Owns a room with documents made of plain objects, and its network: what is said takes as long, is refused and is lost
 * as a test says. Refuses to know the client; of a document's rules it has those that clients rely on.
 */
import * as Y from "yjs";
import type { ClientOptions, Clock } from "../../../../src/client/index.ts";
import type { RoomCommand, RoomEvent, RoomResume } from "../../../../src/client/room/transport.ts";
import { fromBase64, toBase64 } from "../../../../src/client/yjs/base64.ts";
import type { Attempt, Link, LinkObserver } from "../../../../src/client/transport.ts";
import type { Entry, ErrorFrame, PresentMember } from "../../../../src/protocol/frames.ts";
import { MAX_MESSAGE_BYTES } from "../../../../src/protocol/limits.ts";
import { decodeValue } from "../../../../src/protocol/value.ts";

/** What a network does to one request. */
export interface Fate {
  /** Milliseconds on the way there, and back. */
  readonly there?: number;
  readonly back?: number;
  /** Whether the request, or its answer, is lost; or the server is in trouble. */
  readonly trouble?: "lost" | "unanswered" | "busy";
}

/** Why something is not taken. */
export type Refusal = Pick<ErrorFrame, "code" | "retryAfterMs">;

const EPOCH = "e1";

/** The room's end of a connection. */
class FakeLink implements Link<RoomCommand> {
  readonly #server: FakeRoomServer;
  readonly #observer: LinkObserver<RoomEvent>;
  member = "";
  /** Undefined before the welcome. */
  state: unknown;
  isOver = false;
  /** When what was said last arrives, in each direction: nothing overtakes. */
  #up = 0;
  #down = 0;

  constructor(server: FakeRoomServer, observer: LinkObserver<RoomEvent>) {
    this.#server = server;
    this.#observer = observer;
  }

  async greet({ resume, token }: Attempt<RoomResume>): Promise<void> {
    await token();
    this.#later("up", () => {
      this.#server.welcome(this, resume);
    });
  }

  send(command: RoomCommand): void {
    this.#later("up", () => {
      this.#server.hear(this, command);
    });
  }

  probe(): void {}

  close(): void {
    this.isOver = true;
    this.#server.leave(this);
  }

  tell(...frames: readonly RoomEvent["frame"][]): void {
    for (const frame of frames) {
      this.#later("down", () => {
        this.#observer.event({ frame, bytes: 1 });
      });
    }
  }

  opened(isBehind: boolean): void {
    this.#later("down", () => {
      this.#observer.opened(isBehind);
    });
  }

  /** The connection breaks; what is on its way is lost. */
  fail(code = "network", reconnect: "backoff" | "no" = "backoff"): void {
    if (this.isOver) return;
    this.close();
    this.#observer.failed({ code, message: "It is broken.", reconnect });
  }

  #later(way: "up" | "down", task: () => void): void {
    const { clock } = this.#server;
    const at = Math.max(clock.now() + this.#server.latency(), way === "up" ? this.#up : this.#down);
    if (way === "up") this.#up = at;
    else this.#down = at;
    clock.after(at - clock.now(), () => {
      if (!this.isOver) task();
    });
  }
}

export class FakeRoomServer {
  readonly clock: Clock;
  /** Everything that was said, the oldest of it perhaps forgotten. */
  readonly log: Entry[] = [];
  /** Messages that are no longer kept. */
  trimmed = 0;
  readonly docs = new Map<string, Y.Doc>();
  readonly deleted = new Set<string>();
  readonly links = new Set<FakeLink>();
  /** What was asked by HTTP, as `GET` or `POST` and the path. */
  readonly asked: string[] = [];
  /** Presence states as they were shown. */
  readonly shown: unknown[] = [];
  latency = (): number => 0;
  fate = (): Fate => ({});
  /** Whether a connection is let in. */
  isUp = (): boolean => true;
  /** Why a change is refused, if it is. */
  refuse = (_update: Uint8Array): Refusal | undefined => undefined;
  /** Why a document is not shown. */
  hide: () => number | undefined = () => undefined;
  /** What one connection gets instead of a payload. */
  distort = (payload: unknown): unknown => payload;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** What a client of this server is made with. */
  options(random: () => number = () => 0.5): ClientOptions {
    return {
      url: "http://sluice.test",
      clock: this.clock,
      random,
      fetch: this.#fetch,
      transports: { room: () => ({ open: (attempt, observer) => this.#open(attempt, observer) }) },
    };
  }

  /** A document as the server has it. */
  doc(name: string): Y.Doc {
    const known = this.docs.get(name);
    if (known !== undefined) return known;
    const doc = new Y.Doc();
    this.docs.set(name, doc);
    return doc;
  }

  /** A message goes to everyone; its number. */
  say(entry: Omit<Entry, "at">): number {
    const known = this.log.findIndex(({ id }) => id === entry.id);
    if (known !== -1) return known + 1;
    this.log.push({ ...entry, at: 0 });
    for (const link of this.links) if (link.member !== "") this.#deliver(link, this.log.length);
    return this.log.length;
  }

  /** Somebody else changes a document; `isLarge`: by something that does not fit a message. */
  change(name: string, update: Uint8Array, isLarge = false): void {
    Y.applyUpdate(this.doc(name), update);
    const payload = isLarge ? null : update;
    this.say({ sender: "bob", event: `doc:${name}`, payload, id: `change ${this.log.length}` });
  }

  delete(name: string): void {
    this.deleted.add(name);
    const id = `delete ${name}`;
    this.say({ sender: "", event: `doc:${name}`, payload: null, id });
  }

  /** Everything that is kept is forgotten: who comes back hears of a gap. */
  trim(): void {
    this.trimmed = this.log.length;
  }

  welcome(link: FakeLink, { member, resume, state }: RoomResume): void {
    const head = this.log.length;
    link.member = member ?? "guest";
    link.state = state === undefined ? null : decodeValue(state);
    link.tell({
      kind: "welcome",
      member: link.member,
      connection: "c",
      epoch: EPOCH,
      head,
      heartbeat: 25_000,
      credit: { messages: 100_000, bytes: 2 ** 40 },
      presence: { count: this.links.size, members: this.#members(), complete: true },
      limits: { message: 65_536, frame: 131_072, state: 1024 },
    });
    const from = resume?.seq ?? head;
    link.opened(from < head);
    const first = Math.max(from, this.trimmed);
    if (first > from) link.tell({ kind: "gap", reason: "trimmed", from: from + 1, to: first });
    for (let seq = first + 1; seq <= head; seq += 1) this.#deliver(link, seq);
    this.#tellPresence(link);
  }

  hear(link: FakeLink, command: RoomCommand): void {
    if (command.kind === "presence") {
      link.state = decodeValue(command.state);
      this.shown.push(link.state);
      this.#tellPresence(link);
    }
    if (command.kind !== "publish") return;
    const { id, event } = command;
    const payload = decodeValue(command.payload);
    const isTooLarge = command.payload.length > MAX_MESSAGE_BYTES;
    const refusal = isTooLarge
      ? { code: "message_too_large", retryAfterMs: undefined }
      : this.#merge(event.slice("doc:".length), payload);
    if (refusal !== undefined) {
      link.tell({ kind: "error", id, message: "No.", ...refusal });
      return;
    }
    const seq = this.say({ sender: link.member, event, payload, id });
    link.tell({ kind: "published", published: [{ id, seq }] });
  }

  leave(link: FakeLink): void {
    if (!this.links.delete(link) || link.member === "") return;
    for (const other of this.links) {
      other.tell({
        kind: "presenceDiff",
        scope: "diff",
        count: this.links.size,
        here: [],
        gone: [link.member],
      });
    }
  }

  #open(attempt: Attempt<RoomResume>, observer: LinkObserver<RoomEvent>): FakeLink {
    const link = new FakeLink(this, observer);
    this.links.add(link);
    if (this.isUp()) void link.greet(attempt);
    else
      this.clock.after(0, () => {
        link.fail();
      });
    return link;
  }

  #members(): readonly PresentMember[] {
    return [...this.links].flatMap(({ member, state }) =>
      member === "" ? [] : [{ member, state }],
    );
  }

  #tellPresence({ member, state }: FakeLink): void {
    const count = this.links.size;
    for (const other of this.links) {
      if (other.member === "") continue;
      const here = [{ member, state }];
      other.tell({ kind: "presenceDiff", scope: "diff", count, here, gone: [] });
    }
  }

  #deliver(link: FakeLink, seq: number): void {
    const entry = this.log[seq - 1];
    if (entry === undefined) return;
    const payload = this.distort(entry.payload);
    link.tell({ kind: "deliver", first: seq, entries: [{ ...entry, payload }] });
  }

  #merge(name: string, payload: unknown): Refusal | undefined {
    if (!(payload instanceof Uint8Array)) return { code: "bad_payload", retryAfterMs: undefined };
    if (this.deleted.has(name)) return { code: "document_deleted", retryAfterMs: undefined };
    const refusal = this.refuse(payload);
    if (refusal === undefined) Y.applyUpdate(this.doc(name), payload);
    return refusal;
  }

  readonly #fetch: typeof globalThis.fetch = async (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    this.asked.push(`${init?.method ?? "GET"} ${pathname}`);
    const { there = 0, back = 0, trouble } = this.fate();
    await this.#wait(there, init?.signal);
    if (trouble === "lost") throw new TypeError("lost");
    const answer =
      trouble === "busy" ? new Response(null, { status: 503 }) : this.#answer(pathname, init);
    await this.#wait(back, init?.signal);
    if (trouble === "unanswered") throw new TypeError("lost");
    return answer;
  };

  #answer(path: string, init: RequestInit | undefined): Response {
    const name = decodeURIComponent(path.split("/").at(-1) ?? "");
    const problem = (code: string, status: number): Response =>
      Response.json({ code, detail: "No." }, { status });
    if (this.deleted.has(name)) return problem("document_deleted", 410);
    if (init?.method !== "POST") {
      const status = this.hide();
      if (status !== undefined) return problem("forbidden", status);
      const updates = [toBase64(Y.encodeStateAsUpdate(this.doc(name)))];
      return Response.json({ room: "r", document: name, version: "1", updates });
    }
    const body = JSON.parse(init.body as string) as { readonly update: string };
    const refusal = this.#merge(name, fromBase64(body.update));
    if (refusal !== undefined) return problem(refusal.code, 403);
    const id = `request ${this.log.length}`;
    const position = this.say({ sender: "", event: `doc:${name}`, payload: null, id });
    return Response.json({ room: "r", document: name, position }, { status: 201 });
  }

  async #wait(ms: number, signal: AbortSignal | null | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (ms === 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const callOff = this.clock.after(ms, resolve);
    signal?.addEventListener("abort", () => {
      callOff();
      reject(new DOMException("aborted", "AbortError"));
    });
    await promise;
  }
}
