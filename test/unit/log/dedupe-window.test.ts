import { beforeEach, expect, test } from "vitest";
import { DedupeWindow } from "../../../durable-objects/log/dedupe-window.ts";
import { type Log, openLog } from "../../../durable-objects/log/log.ts";
import {
  decodeKeys,
  encodeKeys,
  type MessageKey,
  nameOf,
} from "../../../durable-objects/log/message-key.ts";
import { MemorySql } from "../../support/memory-sql.ts";
import { StillClock } from "../../support/still-clock.ts";

let sql: MemorySql;
let log: Log;

beforeEach(() => {
  sql = new MemorySql();
  log = openLog(sql, { clock: new StillClock(), random: () => 0, retention: {} });
});

const key = (sender: string, id: string): MessageKey => ({ sender, id });
const name = (sender: string, id: string): string => nameOf({ sender, id });

function publish(window: DedupeWindow, ...keys: readonly MessageKey[]): void {
  const { first } = log.append({
    entries: new Uint8Array(keys.length),
    count: keys.length,
    ids: encodeKeys(keys),
  });
  window.remember(first, keys.map(nameOf));
}

test("[I3][W3] a repeated id is answered with the original's position, also after a sleep", () => {
  const window = new DedupeWindow(log, 10);
  publish(window, key("ann", "1"), key("bob", "1"));
  publish(window, key("", "1"), key("ann", ""));
  publish(window, key("ann", "2"));
  for (const each of [window, new DedupeWindow(log, 10)]) {
    expect(each.find(name("ann", "1"))).toBe(1);
    expect(each.find(name("bob", "1"))).toBe(2);
    expect(each.find(name("", "1"))).toBe(3);
    expect(each.find(name("ann", "2"))).toBe(5);
    expect(each.find(name("bob", "2"))).toBeUndefined();
    expect(each.find(name("ann", ""))).toBeUndefined();
  }
});

test("[I5] the newest entries are known, no more, whether asked before or after a sleep", () => {
  const window = new DedupeWindow(log, 5);
  expect(window.find(name("a", "0"))).toBeUndefined();
  for (let index = 0; index < 4; index += 1) {
    publish(window, key("a", `${index}`), key("b", `${index}`), key("c", ""));
  }
  for (const each of [window, new DedupeWindow(log, 5)]) {
    // Entries 8 to 12 of 12.
    expect(each.find(name("a", "2"))).toBeUndefined();
    expect(each.find(name("b", "2"))).toBe(8);
    expect(each.find(name("a", "3"))).toBe(10);
  }
});

test("[I3] an id that has left the window names the new entry from then on", () => {
  const window = new DedupeWindow(log, 2);
  publish(window, key("a", "x"));
  publish(window, key("a", "y"), key("a", "z"));
  expect(window.find(name("a", "x"))).toBeUndefined();
  publish(window, key("a", "x"));
  expect(window.find(name("a", "x"))).toBe(4);
  publish(window, key("a", "w"));
  expect(window.find(name("a", "x"))).toBe(4);
});

test("[I4] a log that starts again has forgotten the ids", () => {
  const window = new DedupeWindow(log, 10);
  publish(window, key("a", "x"));
  expect(window.find(name("a", "x"))).toBe(1);
  log.reset();
  expect(window.find(name("a", "x"))).toBeUndefined();
});

test("[I1] reading back costs a few statements, once, and only when asked", () => {
  const window = new DedupeWindow(log);
  for (let index = 0; index < 6000; index += 1) publish(window, key("a", `${index}`));
  expect(sql.queries.some((query) => query.includes("SELECT first, ids"))).toBe(false);
  const { statements } = sql;
  expect(window.find(name("a", "5999"))).toBe(6000);
  expect(window.find(name("a", "1903"))).toBeUndefined();
  expect(window.find(name("a", "1904"))).toBe(1905);
  expect(sql.statements - statements).toBe(4);
});

test("[W4] keys are told apart and come back, whatever characters they contain", () => {
  const window = new DedupeWindow(log, 10);
  const odd = [key("a", "b\nc"), key("a\nb", "c"), key('"', "\\"), key("1:a", "é\u0000😀")];
  publish(window, ...odd);
  const read = new DedupeWindow(log, 10);
  expect(odd.map((each) => read.find(nameOf(each)))).toEqual([1, 2, 3, 4]);
  expect(decodeKeys(encodeKeys(odd))).toEqual(odd);
  expect(encodeKeys([key("a", ""), key("b", "")])).toBe("");
});
