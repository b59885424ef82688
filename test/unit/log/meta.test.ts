import { expect, test } from "vitest";
import { openLog } from "../../../durable-objects/log/log.ts";
import { isStored } from "../../../durable-objects/log/schema.ts";
import { MemorySql } from "../../support/memory-sql.ts";
import { StillClock } from "../../support/still-clock.ts";

const options = { clock: new StillClock(), random: () => 0, retention: {} };

test("[DESIGN] an owner's settings survive a sleep at one row a change", () => {
  const sql = new MemorySql();
  const { settings } = openLog(sql, options);
  const { rowsWritten } = sql;
  settings.set("a", "1");
  settings.set("a", "2");
  settings.set("b", "x");
  settings.delete("b");
  settings.delete("b");
  expect(sql.rowsWritten - rowsWritten).toBe(4);
  const again = openLog(sql, options).settings;
  expect(again.all()).toEqual(new Map([["a", "2"]]));
  expect([again.get("a"), again.get("epoch")]).toEqual(["2", undefined]);
});

test("[DESIGN] asking whether a log exists does not make one", () => {
  const sql = new MemorySql();
  expect(isStored(sql, "log")).toBe(false);
  expect(sql.rowsWritten).toBe(0);
  openLog(sql, options);
  expect(isStored(sql, "log")).toBe(true);
});

test("[DESIGN] tables of a newer version are not touched", () => {
  const sql = new MemorySql();
  openLog(sql, options);
  sql.exec("UPDATE log_meta SET value = '99' WHERE name = 'schema.version'");
  expect(() => openLog(sql, options)).toThrow(/newer version/);
});
