/**
 * Owns a room's WebSocket as a link: greeting, heartbeat, and what its end means. Refuses to know what
 * the frames are about.
 */
import { parseRoomFrame } from "../../protocol/parse-room-frame.ts";
import { encodeClientFrame } from "../../protocol/encode-client-frame.ts";
import { PING, SUBPROTOCOL } from "../../protocol/frames.ts";
import type { ErrorFrame, HelloFrame, ServerFrame, WelcomeFrame } from "../../protocol/frames.ts";
import type { Context } from "../context.ts";
import { failureOf, failureOfThrown, SILENT, UNREACHABLE } from "../http/failure.ts";
import { ask } from "../http/request.ts";
import type { Attempt, Failure, Link, LinkObserver } from "../transport.ts";
import { failureOfClose } from "./closes.ts";
import type { RoomCommand, RoomEvent, RoomTransport } from "./transport.ts";

/** Begins the subprotocol that carries a token: browsers let nobody set a socket's headers. */
const TOKEN_PROTOCOL = "sluice.bearer.";

/** Milliseconds from the attempt to the welcome. */
const GREETING_MS = 15_000;

/** Milliseconds that a probed connection has to answer. */
const PROBE_MS = 5_000;

/** Milliseconds between two pings at least, whatever the server says. */
const LEAST_HEARTBEAT_MS = 1_000;

/** A refused handshake says no reason; an answer with this status to a plain request says that there is none. */
const NOTHING_AGAINST_IT = 426;

/** Carries a room by WebSockets. */
export function socketRoom(context: Context, room: string): RoomTransport {
  return {
    open: (attempt, observer) => {
      const link = new SocketLink(context, `/v1/rooms/${encodeURIComponent(room)}`, observer);
      void link.run(attempt);
      return link;
    },
  };
}

class SocketLink implements Link<RoomCommand> {
  readonly #context: Context;
  readonly #path: string;
  readonly #observer: LinkObserver<RoomEvent>;
  #socket: WebSocket | undefined;
  #isOver = false;
  #welcome: WelcomeFrame | undefined;
  /** What the server said last that was wrong with the connection. */
  #error: ErrorFrame | undefined;
  #nextPing: (() => void) | undefined;
  /** Calls off the wait for what is expected. */
  #deadline: (() => void) | undefined;

  constructor(context: Context, path: string, observer: LinkObserver<RoomEvent>) {
    this.#context = context;
    this.#path = path;
    this.#observer = observer;
  }

  send(command: RoomCommand): void {
    if (this.#welcome !== undefined) this.#socket?.send(encodeClientFrame(command));
  }

  probe(): void {
    if (this.#welcome !== undefined) this.#ping(PROBE_MS);
  }

  close(): void {
    this.#isOver = true;
    this.#nextPing?.();
    this.#deadline?.();
    this.#socket?.close();
  }

  /** Never rejects: whatever goes wrong is told. */
  async run({ resume, token }: Attempt<HelloFrame>): Promise<void> {
    this.#expect(GREETING_MS);
    try {
      const shown = await token();
      if (!this.#isOver) this.#connect(resume, shown);
    } catch (thrown) {
      this.#fail(failureOfThrown(thrown));
    }
  }

  #connect(hello: HelloFrame, token: string | undefined): void {
    const { url, options } = this.#context;
    const Socket = options.WebSocket ?? (globalThis as Partial<typeof globalThis>).WebSocket;
    if (Socket === undefined) {
      this.#fail({ code: "no_websocket", message: "Node 22 has WebSocket.", reconnect: "no" });
      return;
    }
    const protocols = [SUBPROTOCOL, ...(token === undefined ? [] : [`${TOKEN_PROTOCOL}${token}`])];
    const socket = new Socket(`${url.replace(/^http/, "ws")}${this.#path}`, protocols);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    let isOpen = false;
    socket.addEventListener("open", () => {
      isOpen = true;
      if (!this.#isOver) socket.send(encodeClientFrame(hello));
    });
    socket.addEventListener("message", ({ data }: { readonly data: unknown }) => {
      if (!this.#isOver) this.#take(data, hello);
    });
    let explaining: Promise<void> | undefined;
    const explain = (): void => {
      if (!this.#isOver && !isOpen) explaining ??= this.#explain(token);
    };
    // Of a socket that never opened, Node 22 tells no close.
    socket.addEventListener("error", explain);
    socket.addEventListener("close", ({ code }: { readonly code: number }) => {
      if (isOpen) this.#fail(failureOfClose(code, this.#error));
      else explain();
    });
  }

  #take(data: unknown, hello: HelloFrame): void {
    this.#heard();
    if (!(data instanceof ArrayBuffer)) return;
    let frame: ServerFrame | undefined;
    try {
      frame = parseRoomFrame(data);
    } catch {
      this.#fail({ code: "bad_answer", message: "A frame is none.", reconnect: "no" });
      return;
    }
    if (frame === undefined) return;
    if (frame.kind === "error" && frame.id === undefined) this.#error = frame;
    if (frame.kind === "welcome") {
      this.#welcome = frame;
      this.#heard();
      this.#beat(Math.max(frame.heartbeat, LEAST_HEARTBEAT_MS));
    }
    this.#observer.event({ frame, bytes: data.byteLength });
    if (frame.kind !== "welcome") return;
    const { resume } = hello;
    this.#observer.opened(
      resume !== undefined && (resume.epoch !== frame.epoch || resume.seq < frame.head),
    );
  }

  /** Any message is a sign of life. */
  #heard(): void {
    if (this.#welcome !== undefined) this.#deadline?.();
  }

  #beat(heartbeat: number): void {
    this.#nextPing = this.#context.clock.after(heartbeat, () => {
      this.#ping(heartbeat);
      this.#beat(heartbeat);
    });
  }

  #ping(patienceMs: number): void {
    this.#socket?.send(PING);
    this.#expect(patienceMs);
  }

  #expect(ms: number): void {
    this.#deadline?.();
    this.#deadline = this.#context.clock.after(ms, () => {
      this.#fail(SILENT);
    });
  }

  /** A socket does not say why it was not let in; the same address does, when it is asked plainly. */
  async #explain(token: string | undefined): Promise<void> {
    try {
      const response = await ask(this.#context, token, { path: this.#path });
      const failure = await failureOf(response);
      this.#fail(response.status === NOTHING_AGAINST_IT ? UNREACHABLE : failure);
    } catch (thrown) {
      this.#fail(failureOfThrown(thrown));
    }
  }

  #fail(failure: Failure): void {
    if (this.#isOver) return;
    this.close();
    this.#observer.failed(failure);
  }
}
