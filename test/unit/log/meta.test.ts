import { expect, test, vi } from "vitest";
import { openLog } from "../../../durable-objects/log/log.ts";
import { Meta } from "../../../durable-objects/log/meta.ts";
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

test("[I2] [DESIGN] a log whose making broke off in the middle is made by who opens it next", () => {
  const sql = new MemorySql();
  for (const fails of [1, 2]) {
    let writes = 0;
    const set = vi.spyOn(Meta.prototype, "set").mockImplementation(function (this: Meta, name, to) {
      writes += 1;
      if (writes === fails) throw new Error("database or disk is full: SQLITE_FULL");
      this.setAll({ [name]: to });
    });
    expect(() => openLog(sql, options)).toThrow("SQLITE_FULL");
    set.mockRestore();
    expect(isStored(sql, "log")).toBe(true);
  }
  const log = openLog(sql, options);
  log.append({ entries: new Uint8Array([1]), count: 1, ids: "" });
  const again = openLog(sql, options);
  expect([again.epoch, again.tail]).toEqual([log.epoch, 1]);
});
