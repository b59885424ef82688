/** What a member shows whose tabs share a connection: the server's side is made of plain objects. */
import { expect, test } from "vitest";
import { createClient, type Room, type RoomOptions } from "../../../src/client/index.ts";
import type { RoomCommand, RoomEvent, RoomResume } from "../../../src/client/room/transport.ts";
import { RoomLine } from "../../../src/client/tabs/room-line.ts";
import type { Link, LinkObserver } from "../../../src/client/transport.ts";
import type { Raw } from "../../../src/protocol/frames.ts";
import { decodeValue, encodeValue } from "../../../src/protocol/value.ts";
import { settle } from "../../support/fake-clock.ts";

/** A member as the server sees it: of all its connections, the one that has shown something last is looked at. */
class ServedMember {
  readonly connections = new Map<ServedConnection, Raw | undefined>();
  readonly log: string[] = [];

  get shown(): unknown {
    const raw = [...this.connections.values()].at(-1);
    return raw && decodeValue(raw);
  }

  show(connection: ServedConnection, state: Raw | undefined): void {
    this.connections.delete(connection);
    this.connections.set(connection, state);
  }
}

class ServedConnection implements Link<RoomCommand> {
  readonly #member: ServedMember;
  readonly #hello: RoomResume;
  readonly #observer: LinkObserver<RoomEvent>;

  constructor(member: ServedMember, hello: RoomResume, observer: LinkObserver<RoomEvent>) {
    this.#member = member;
    this.#hello = hello;
    this.#observer = observer;
  }

  greet(): void {
    const { log } = this.#member;
    this.#member.show(this, this.#hello.state);
    this.#tell({
      kind: "welcome",
      member: "ann",
      connection: "c",
      epoch: "e",
      head: log.length,
      heartbeat: 25_000,
      credit: { messages: 64, bytes: 65_536 },
      presence: { count: 1, members: [], complete: true },
      limits: { message: 65_536, frame: 131_072, state: 1024 },
    });
    this.#observer.opened(false);
  }

  /** Tells all messages. */
  tellLog(): void {
    const entries = this.#member.log.map((id) => {
      return { sender: "bob", at: 0, event: "say", payload: encodeValue(id), id };
    });
    this.#tell({ kind: "deliver", first: 1, entries });
  }

  send(command: RoomCommand): void {
    if (command.kind === "presence") this.#member.show(this, command.state);
  }

  probe(): void {}

  close(): void {
    this.#member.connections.delete(this);
  }

  #tell(frame: RoomEvent["frame"]): void {
    this.#observer.event({ frame, bytes: 10 });
  }
}

function setUp() {
  const member = new ServedMember();
  const opened: ServedConnection[] = [];
  const line = new RoomLine((hello, observer) => {
    const connection = new ServedConnection(member, hello, observer);
    opened.push(connection);
    return connection;
  }, "ann");
  const openTab = async (options: RoomOptions): Promise<Room> => {
    const client = createClient({
      url: "http://sluice.test",
      transports: { room: () => ({ open: ({ resume }, tab) => line.open(resume, tab) }) },
    });
    const room = client.room("r", { member: "ann", ...options });
    room.subscribe(() => {});
    void room.join().catch(() => {});
    await settle();
    return room;
  };
  return { member, opened, openTab };
}

test("[W6][S7] what a tab shows between the hello and the welcome is what it goes on showing", async () => {
  const { member, opened, openTab } = setUp();
  const room = await openTab({ presence: { x: 0 } });
  room.show({ x: 1 });
  opened[0]?.greet();
  expect(member.shown).toEqual({ x: 1 });
  room.show({ x: 2 });
  expect(member.shown).toEqual({ x: 2 });
  room.leave();
});

test("[W6][S7] another tab shows what it comes with, also while it catches up on its own", async () => {
  const { member, opened, openTab } = setUp();
  member.log.push("1", "2", "3");
  const first = await openTab({ presence: { tab: 1 } });
  opened[0]?.greet();
  expect(member.shown).toEqual({ tab: 1 });

  // Of what it wants, nothing is kept here.
  const second = await openTab({ presence: { tab: 2 }, history: 3 });
  expect(opened).toHaveLength(2);
  expect(member.shown).toEqual({ tab: 2 });
  opened[1]?.greet();
  expect(member.shown).toEqual({ tab: 2 });
  opened[1]?.tellLog();
  expect(member.connections.size).toBe(1);
  expect(member.shown).toEqual({ tab: 2 });
  first.show({ tab: 1, x: 1 });
  expect(member.shown).toEqual({ tab: 1, x: 1 });
  second.leave();
  first.leave();
});

test("[W6][S7] a tab that catches up on its own brings back nothing that was shown before", async () => {
  const { member, opened, openTab } = setUp();
  member.log.push("1", "2", "3");
  const first = await openTab({ presence: { tab: 1 } });
  opened[0]?.greet();
  const second = await openTab({ presence: { tab: 2 }, history: 3 });
  first.show({ tab: 1, x: 1 });
  opened[1]?.greet();
  expect(member.shown).toEqual({ tab: 1, x: 1 });
  first.show({ tab: 1, x: 2 });
  expect(member.shown).toEqual({ tab: 1, x: 2 });
  opened[1]?.tellLog();
  expect(member.shown).toEqual({ tab: 1, x: 2 });
  second.leave();
  first.leave();
});
