/** Messages that a storage has no room for: what the application hears of them. */
import { expect, test } from "vitest";
import { Unkept } from "../../../src/client/outbox/unkept.ts";

/** A storage that may be full, and the errors of a run of messages. */
function storage() {
  const place = { isFull: false, stored: [] as string[] };
  const unkept = new Unkept(async ({ id }) => {
    if (place.isFull) throw new DOMException("No room.", "QuotaExceededError");
    place.stored.push(id);
  });
  const keep = async (...ids: readonly string[]): Promise<readonly unknown[]> => {
    const rows = ids.map((id, order) => ({
      id,
      order,
      box: "b",
      to: undefined,
      event: "say",
      payload: new Uint8Array(),
    }));
    const results = await Promise.allSettled(rows.map((row) => unkept.keep(row)));
    const errors: unknown[] = [];
    for (const result of results) if (result.status === "rejected") errors.push(result.reason);
    return errors;
  };
  return { place, unkept, keep };
}

test("[W5] 40 messages without room are one error, which says whose it is and where to look", async () => {
  const { place, unkept, keep } = storage();
  place.isFull = true;
  const ids = Array.from({ length: 40 }, (_, index) => `m${index}`);
  const errors = await keep(...ids);
  expect(errors).toHaveLength(1);
  expect(String(errors[0])).toMatch(/Sluice's outbox .*QuotaExceededError: No room\..* `unkept`/);
  expect(errors[0]).toMatchObject({ cause: { name: "QuotaExceededError" } });
  expect(unkept.size.get()).toBe(40);
  // Sent meanwhile, which makes no room.
  unkept.remove("b", ids);
  expect(await keep("later")).toEqual([]);
  expect(unkept.size.get()).toBe(1);
});

test("[W5] once something was stored again, the next failure is said again", async () => {
  const { place, unkept, keep } = storage();
  place.isFull = true;
  expect(await keep("a", "b")).toHaveLength(1);
  place.isFull = false;
  expect(await keep("c")).toEqual([]);
  expect([unkept.size.get(), place.stored]).toEqual([0, ["c", "a", "b"]]);
  place.isFull = true;
  expect(await keep("d", "e")).toHaveLength(1);
});
