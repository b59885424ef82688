import { beforeEach, expect, test } from "vitest";
import {
  Mailbox,
  type MailLimits,
  type OutgoingMail,
} from "../../../durable-objects/log/mailbox.ts";
import { MemorySql } from "../../support/memory-sql.ts";
import { StillClock } from "../../support/still-clock.ts";

let sql: MemorySql;
let clock: StillClock;

beforeEach(() => {
  sql = new MemorySql();
  clock = new StillClock();
});

const open = (limits: Partial<MailLimits> = {}): Mailbox => new Mailbox(sql, { clock, limits });

function mail(member: string, id: string, size = 1): OutgoingMail {
  return { member, sender: "ann", id, content: new Uint8Array(size).fill(7) };
}

const numbers = (box: Mailbox, member: string, after = 0): readonly number[] =>
  box.after(member, after).map(({ number }) => number);

test("[W5] messages wait for their member, in order, and leave when acknowledged", () => {
  const box = open();
  expect(box.put(mail("bob", "1", 3))).toEqual({ kind: "stored", number: 1, at: clock.time });
  box.put(mail("eve", "2"));
  box.put(mail("bob", "3"));
  expect(open().after("bob", 0)).toEqual([
    { number: 1, at: clock.time, content: new Uint8Array([7, 7, 7]) },
    { number: 3, at: clock.time, content: new Uint8Array([7]) },
  ]);
  expect(numbers(box, "bob", 1)).toEqual([3]);
  expect(box.after("bob", 0, 1)).toHaveLength(1);
  box.acknowledge("bob", 1);
  expect(numbers(box, "bob")).toEqual([3]);
  expect(numbers(box, "eve")).toEqual([2]);
  expect(box.stats).toEqual({ waiting: 2, bytes: 2 });
  expect(open().stats).toEqual({ waiting: 2, bytes: 2 });
});

test("[I3] a repeated message is not stored again, also when it was acknowledged before a sleep", () => {
  const box = open();
  box.put(mail("bob", "1"));
  box.acknowledge("bob", 1);
  for (const each of [box, open()]) {
    expect(each.put(mail("bob", "1"))).toEqual({ kind: "duplicate", number: 1 });
    expect(each.after("bob", 0)).toEqual([]);
  }
  expect(box.put({ ...mail("bob", "1"), sender: "eve" })).toMatchObject({ kind: "stored" });
  expect(box.put(mail("bob", ""))).toMatchObject({ kind: "stored" });
  expect(box.put(mail("bob", ""))).toMatchObject({ kind: "stored" });
});

test("[I5] a full mailbox refuses, per member and in all, by count and by bytes", () => {
  const refused = { kind: "refused", code: "mailbox_full" };
  const box = open({ perMember: 2, bytesPerMember: 10, total: 4, totalBytes: 25 });
  box.put(mail("bob", "1"));
  box.put(mail("bob", "2"));
  expect(box.put(mail("bob", "3"))).toEqual(refused);
  expect(box.put(mail("eve", "4", 11))).toEqual(refused);
  expect(box.put(mail("eve", "5", 10))).toMatchObject({ kind: "stored" });
  expect(box.put(mail("eve", "6"))).toEqual(refused);
  expect(box.put(mail("dan", "7", 10))).toMatchObject({ kind: "stored" });
  expect(open({ total: 4 }).put(mail("eva", "8"))).toEqual(refused);
  box.acknowledge("dan", 9);
  expect(box.put(mail("eva", "8", 9))).toMatchObject({ kind: "stored" });
  box.acknowledge("bob", 1);
  // Four wait again, so the count in all refuses what the share would take.
  expect(box.put(mail("bob", "9"))).toMatchObject({ kind: "stored" });
  expect(box.put(mail("fay", "10"))).toEqual(refused);
});

test("[I4] numbers grow over sleep, expiry and clearing", () => {
  let last = 0;
  const put = (box: Mailbox): void => {
    const result = box.put(mail("bob", ""));
    if (result.kind !== "stored") throw new Error(result.kind);
    expect(result.number).toBeGreaterThan(last);
    last = result.number;
  };
  const box = open({ ttlMs: 1000 });
  put(box);
  put(box);
  box.acknowledge("bob", last);
  put(open({ ttlMs: 1000 }));
  clock.time += 5000;
  open({ ttlMs: 1000 }).expire();
  put(open());
  open().clear();
  expect(open().stats.waiting).toBe(0);
  put(open());
});

test("[W5] what has waited too long is never seen, and makes room", () => {
  const box = open({ ttlMs: 60_000, perMember: 1 });
  box.put(mail("bob", "1"));
  expect(box.expiresAt).toBe(clock.time + 60_000);
  clock.time += 60_001;
  expect(box.after("bob", 0)).toEqual([]);
  expect(box.put(mail("bob", "2"))).toMatchObject({ kind: "stored", number: 2 });
  expect(numbers(box, "bob")).toEqual([2]);
  clock.time += 60_001;
  box.expire();
  expect(box.expiresAt).toBeUndefined();
  expect(sql.exec("SELECT COUNT(*) AS n FROM log_mail").toArray()).toEqual([{ n: 0 }]);
});

test("[I5] ids of acknowledged messages are swept, many at a time", () => {
  const box = open({ dedupe: 10 });
  const { rowsWritten, statements } = sql;
  for (let index = 1; index <= 1000; index += 1) {
    box.put(mail("bob", `${index}`));
    box.acknowledge("bob", index);
  }
  const [row] = sql.exec("SELECT COUNT(*) AS n FROM log_mail").toArray();
  expect(row?.["n"]).toBeLessThanOrEqual(20);
  expect(box.put(mail("bob", "991"))).toEqual({ kind: "duplicate", number: 991 });
  // Put, acknowledged, swept: three rows written a message.
  expect(sql.rowsWritten - rowsWritten).toBeLessThanOrEqual(3000);
  expect(sql.statements - statements).toBeLessThanOrEqual(2000 + 4 * 100);
  expect(sql.openCursors).toBe(0);
});
