import { expect, test } from "vitest";
import { acceptConnection, type Connection } from "../../../durable-objects/delivery/connection.ts";
import { Mailbox } from "../../../durable-objects/log/mailbox.ts";
import { MailRoom } from "../../../durable-objects/room/mail-room.ts";
import { MAX_MAIL_AHEAD, MAX_MAIL_AHEAD_BYTES } from "../../../src/protocol/limits.ts";
import { parseServerFrame } from "../../../src/protocol/parse-server-frame.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeSocket } from "../../support/fake-socket.ts";
import { MemorySql } from "../../support/memory-sql.ts";
import { OPEN_PERMIT } from "../../../src/protocol/permit.ts";

class Scene {
  readonly clock = new FakeClock(1_000);
  readonly mailbox = new Mailbox(new MemorySql(), {
    clock: this.clock,
    limits: { perMember: 100 },
  });
  readonly mail = new MailRoom(this.mailbox, this.clock, () => {});

  put(member: string, id: string, payload: unknown = id): number {
    return this.mail.put(member, { sender: "ann", id, event: "dm", payload: encodeValue(payload) });
  }

  /** Sends a connection what there is, and returns its ids. */
  send(connection: Connection): readonly string[] {
    const page = this.mail.pageFor(connection);
    if (page === undefined) return [];
    connection.mailSent = page.last;
    const frame = parseServerFrame(page.frame);
    if (frame?.kind !== "mail") throw new Error("no mail");
    expect(frame.entries.at(-1)?.mail).toBe(page.last);
    return frame.entries.map(({ id }) => id);
  }

  acknowledge(connection: Connection): void {
    connection.mailAcked = connection.mailSent;
    this.mail.acknowledge(connection.member, connection.mailSent);
  }
}

function connectionOf(member: string): Connection {
  const facts = { id: "c1", door: "member", joinedAt: 0, permit: OPEN_PERMIT } as const;
  return Object.assign(acceptConnection(new FakeSocket(), facts), { member });
}

test("[P60][P61] messages wait for their member and come in order, as they were sent", () => {
  const scene = new Scene();
  expect([
    scene.put("bob", "m1", { x: 1 }),
    scene.put("cem", "m2"),
    scene.put("bob", "m3"),
  ]).toEqual([1, 2, 3]);
  const page = scene.mail.pageFor(connectionOf("bob"));
  expect(parseServerFrame(page?.frame ?? new Uint8Array())).toEqual({
    kind: "mail",
    entries: [
      { mail: 1, sender: "ann", at: 1_000, event: "dm", payload: { x: 1 }, id: "m1" },
      { mail: 3, sender: "ann", at: 1_000, event: "dm", payload: "m3", id: "m3" },
    ],
  });
});

test("[P33] a repeated message has the number it had, also when it was read", () => {
  const scene = new Scene();
  const bob = connectionOf("bob");
  expect([scene.put("bob", "m1"), scene.put("bob", "m1")]).toEqual([1, 1]);
  expect(scene.send(bob)).toEqual(["m1"]);
  scene.acknowledge(bob);
  expect(scene.put("bob", "m1")).toBe(1);
  expect(scene.send(bob)).toEqual([]);
});

test("[I5][P54] so many messages are sent ahead and no more, until they are acknowledged", () => {
  const scene = new Scene();
  const bob = connectionOf("bob");
  const ids = Array.from({ length: MAX_MAIL_AHEAD + 10 }, (_, n) => `m${n}`);
  for (const id of ids) scene.put("bob", id);
  expect(scene.send(bob)).toEqual(ids.slice(0, MAX_MAIL_AHEAD));
  expect(scene.send(bob)).toEqual([]);
  scene.acknowledge(bob);
  expect(scene.send(bob)).toEqual(ids.slice(MAX_MAIL_AHEAD));
});

test("[I5][P54] nor more bytes than the window for them holds", () => {
  const scene = new Scene();
  const bob = connectionOf("bob");
  for (let n = 0; n < 10; n += 1) scene.put("bob", `m${n}`, "x".repeat(60_000));
  const fit = Math.floor(MAX_MAIL_AHEAD_BYTES / 60_000);
  expect(scene.send(bob)).toHaveLength(fit);
  scene.acknowledge(bob);
  expect(scene.send(bob)).toHaveLength(fit);
});

test("[P60] too much waiting mail is refused to its sender", () => {
  const scene = new Scene();
  for (let n = 0; n < 100; n += 1) scene.put("bob", `m${n}`);
  expect(() => scene.put("bob", "more")).toThrow(expect.objectContaining({ code: "mailbox_full" }));
  expect(scene.put("cem", "other")).toBe(101);
});
