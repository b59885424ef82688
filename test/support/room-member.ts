/** Owns a member of a room in tests that run inside workerd. */
import { exports } from "cloudflare:workers";
import { encodeClientFrame } from "../../src/protocol/encode-client-frame.ts";
import {
  type DeliverFrame,
  type Entry,
  type HelloFrame,
  type MailEntry,
  PING,
  type ServerFrame,
  type WelcomeFrame,
} from "../../src/protocol/frames.ts";
import { parseServerFrame } from "../../src/protocol/parse-server-frame.ts";
import { encodeValue } from "../../src/protocol/value.ts";
import { until } from "./until.ts";

type Kind = ServerFrame["kind"];
type FrameOf<K extends Kind> = Extract<ServerFrame, { kind: K }>;

/** A message with its position. */
interface Received extends Entry {
  readonly seq: number;
}

/** A socket in a room, all of whose frames are kept. */
export class RoomMember {
  readonly frames: ServerFrame[] = [];
  readonly pongs: string[] = [];
  /** The code with which the socket was closed. */
  closed: number | undefined;
  readonly socket: WebSocket;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") this.pongs.push(data);
      else if (data instanceof ArrayBuffer) {
        const frame = parseServerFrame(data);
        if (frame !== undefined) this.frames.push(frame);
      }
    });
    socket.addEventListener("close", ({ code }) => {
      this.closed = code;
    });
    socket.accept();
  }

  /** Connects to a room without a word. */
  static async connect(room: string): Promise<RoomMember> {
    const response = await exports.default.fetch(`http://localhost/v1/rooms/${room}`, {
      headers: { upgrade: "websocket", "sec-websocket-protocol": "sluice.v1" },
    });
    if (response.webSocket === null) throw new Error(`${response.status} ${await response.text()}`);
    return new RoomMember(response.webSocket);
  }

  /** Connects and says hello. */
  static async join(room: string, hello: Partial<HelloFrame> = {}): Promise<RoomMember> {
    const member = await RoomMember.connect(room);
    member.hello(hello);
    return member;
  }

  /** Connects, says hello and waits for the answer. */
  static async welcomed(room: string, hello: Partial<HelloFrame> = {}): Promise<RoomMember> {
    const member = await RoomMember.join(room, hello);
    await until("the member is welcome", () => member.of("welcome").length === 1);
    return member;
  }

  hello(hello: Partial<HelloFrame> = {}): void {
    this.send(
      encodeClientFrame({
        kind: "hello",
        member: undefined,
        resume: undefined,
        mail: undefined,
        history: undefined,
        state: undefined,
        credit: undefined,
        ...hello,
      }),
    );
  }

  send(data: Uint8Array | string): void {
    this.socket.send(data);
  }

  publish(id: string, payload: unknown, event = "chat"): void {
    this.send(encodeClientFrame({ kind: "publish", id, event, payload: encodeValue(payload) }));
  }

  direct(id: string, to: string, payload: unknown): void {
    const raw = encodeValue(payload);
    this.send(encodeClientFrame({ kind: "direct", id, to, event: "whisper", payload: raw }));
  }

  show(state: unknown): void {
    this.send(encodeClientFrame({ kind: "presence", state: encodeValue(state) }));
  }

  ack(seq: number, mail = 0): void {
    this.send(encodeClientFrame({ kind: "ack", seq, mail }));
  }

  leave(): void {
    this.send(encodeClientFrame({ kind: "leave" }));
  }

  /** Closes the socket without a word, as a client does that comes back later. */
  async close(): Promise<void> {
    this.socket.close(1001, "");
    await until("the socket is closed", () => this.closed !== undefined);
  }

  /** Sends a heartbeat, which the runtime answers. */
  async beat(): Promise<void> {
    const before = this.pongs.length;
    this.send(PING);
    await until("the heartbeat is answered", () => this.pongs.length > before);
  }

  /** The welcome, of which there is exactly one. */
  get welcome(): WelcomeFrame {
    const [welcome, ...more] = this.of("welcome");
    if (welcome === undefined || more.length > 0) throw new Error("not welcomed exactly once");
    return welcome;
  }

  get position(): { epoch: string; seq: number } {
    return { epoch: this.welcome.epoch, seq: this.messages.at(-1)?.seq ?? this.welcome.head };
  }

  of<K extends Kind>(kind: K): readonly FrameOf<K>[] {
    return this.frames.filter((frame): frame is FrameOf<K> => frame.kind === kind);
  }

  /** All messages received, with their positions. */
  get messages(): readonly Received[] {
    return this.of("deliver").flatMap(({ first, entries }: DeliverFrame) =>
      entries.map((entry, index) => ({ ...entry, seq: first + index })),
    );
  }

  get payloads(): readonly unknown[] {
    return this.messages.map(({ payload }) => payload);
  }

  get seqs(): readonly number[] {
    return this.messages.map(({ seq }) => seq);
  }

  /** All direct messages received. */
  get mails(): readonly MailEntry[] {
    return this.of("mail").flatMap(({ entries }) => entries);
  }

  /** Answers to publishes: each id with its position, or the code it was refused with. */
  get answers(): readonly (readonly [string, number | string])[] {
    return this.frames.flatMap((frame): (readonly [string, number | string])[] => {
      if (frame.kind === "published") return frame.published.map(({ id, seq }) => [id, seq]);
      return frame.kind === "error" && frame.id !== undefined ? [[frame.id, frame.code]] : [];
    });
  }

  get errors(): readonly string[] {
    return this.of("error").map(({ code }) => code);
  }
}
