/** Owns a room outside the platform: storage in memory, a fake clock, fake sockets. */
import type { Turns } from "../../durable-objects/delivery/spread.ts";
import { Room } from "../../durable-objects/room/room.ts";
import { type RoomSettings, settingsFor } from "../../durable-objects/room/settings.ts";
import { encodeClientFrame } from "../../src/protocol/encode-client-frame.ts";
import type { ClientFrame, HelloFrame } from "../../src/protocol/frames.ts";
import { encodeValue } from "../../src/protocol/value.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeSocket } from "./fake-socket.ts";
import { MemorySql } from "./memory-sql.ts";
import { OPEN_PERMIT, type Permit } from "../../src/protocol/permit.ts";

export class RoomScene {
  readonly clock = new FakeClock();
  readonly reported: unknown[] = [];
  sql = new MemorySql();
  room: Room;
  readonly #settings: Partial<RoomSettings>;
  readonly #tokens: Readonly<Record<string, Permit | Error>>;
  readonly #turns: Turns | undefined;
  /** Called after each flush; may throw. */
  onFlush: (() => void) | undefined;
  #ids = 0;

  /**
   * @param tokens what they mean, or why they do not count.
   * @param turns left out, everybody is sent to in the same turn.
   */
  constructor(
    settings: Partial<RoomSettings> = {},
    tokens: Readonly<Record<string, Permit | Error>> = {},
    turns?: Turns,
  ) {
    this.#settings = settings;
    this.#tokens = tokens;
    this.#turns = turns;
    this.room = this.wake();
  }

  /** Makes the room anew, as after a sleep: with the sockets that are open. */
  wake(...sockets: readonly FakeSocket[]): Room {
    this.room = new Room({
      sql: this.sql,
      transact: (run) => {
        this.sql.transact(run);
      },
      clock: this.clock,
      random: () => 0.5,
      newId: () => `c${(this.#ids += 1)}`,
      settings: { ...settingsFor("room", undefined), ...this.#settings },
      sockets,
      ...(this.#turns !== undefined && { turns: this.#turns }),
      lastBeat: () => this.clock.now(),
      onFlush: () => this.onFlush?.(),
      report: (error) => this.reported.push(error),
      readToken: async (token) => {
        const permit = this.#tokens[token];
        if (permit === undefined || permit instanceof Error) throw permit ?? new Error(token);
        return permit;
      },
    });
    return this.room;
  }

  /** Accepts a socket that says nothing yet. */
  accept(door: "member" | "viewer" = "member", permit = OPEN_PERMIT): FakeSocket {
    const socket = new FakeSocket();
    this.room.audience.connect(socket, { door, permit });
    return socket;
  }

  join(member: string, hello: Partial<HelloFrame> = {}): FakeSocket {
    const socket = this.accept();
    this.hello(socket, { member, ...hello });
    return socket;
  }

  hello(socket: FakeSocket, hello: Partial<HelloFrame>): void {
    this.send(socket, {
      kind: "hello",
      member: undefined,
      resume: undefined,
      mail: undefined,
      history: undefined,
      state: undefined,
      credit: undefined,
      ...hello,
    });
  }

  send(socket: FakeSocket, frame: ClientFrame): void {
    this.room.receive(socket, new Uint8Array(encodeClientFrame(frame)).buffer);
  }

  publish(socket: FakeSocket, id: string, payload: unknown = id): void {
    this.send(socket, { kind: "publish", id, event: "chat", payload: encodeValue(payload) });
  }

  direct(socket: FakeSocket, id: string, to: string, payload: unknown = id): void {
    this.send(socket, { kind: "direct", id, to, event: "dm", payload: encodeValue(payload) });
  }

  show(socket: FakeSocket, state: unknown): void {
    this.send(socket, { kind: "presence", state: encodeValue(state) });
  }

  /** The other side is gone. */
  break(socket: FakeSocket): void {
    socket.isLost = true;
    this.room.audience.disconnect(socket);
  }
}

/** Ids of the messages a socket was delivered, and of its direct messages. */
export function idsOf(socket: FakeSocket, kind: "deliver" | "mail"): readonly string[] {
  return socket.of(kind).flatMap(({ entries }) => entries.map(({ id }) => id));
}
