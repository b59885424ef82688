import { expect, test } from "vitest";
import { Revocations } from "../../../durable-objects/platform/revocations.ts";
import { CLOCK_SKEW_S, MAX_REVOCATIONS } from "../../../src/protocol/limits.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { MemorySql } from "../../support/memory-sql.ts";

const LIFETIME_S = 3_600;

function scene() {
  const sql = new MemorySql();
  const clock = new FakeClock();
  const seconds = () => Math.floor(clock.now() / 1_000);
  return { sql, clock, seconds, revocations: new Revocations(sql, clock) };
}

test("[I8] a subject's tokens until now are taken back, later ones are not", () => {
  const { revocations, seconds } = scene();
  revocations.add({ subject: "ann" }, LIFETIME_S);
  const now = seconds();
  expect(revocations.has({ subject: "ann" })).toBe(true);
  expect(revocations.has({ subject: "ann", issuedAt: now - 5 })).toBe(true);
  expect(revocations.has({ subject: "ann", issuedAt: now })).toBe(true);
  // Made before, by an issuer whose clock is ahead.
  expect(revocations.has({ subject: "ann", issuedAt: now + CLOCK_SKEW_S })).toBe(true);
  expect(revocations.has({ subject: "ann", issuedAt: now + CLOCK_SKEW_S + 1 })).toBe(false);
  expect(revocations.has({ subject: "bob", tokenId: "ann" })).toBe(false);
  expect(revocations.has({})).toBe(false);
  // Neither kind is taken for the other.
  revocations.add({ tokenId: "bob" }, LIFETIME_S);
  expect(revocations.has({ subject: "bob" })).toBe(false);
  expect(revocations.has({ subject: "x", tokenId: "bob", issuedAt: now + 9 })).toBe(true);
});

test("[I8] they outlive a restart, and are forgotten when no such token can be left", async () => {
  const { sql, clock, revocations } = scene();
  revocations.add({ subject: "ann" }, LIFETIME_S);
  expect(new Revocations(sql, clock).has({ subject: "ann" })).toBe(true);
  await clock.advance(LIFETIME_S * 1_000);
  revocations.add({ subject: "bob" }, LIFETIME_S);
  expect(new Revocations(sql, clock).has({ subject: "ann" })).toBe(false);
  expect(new Revocations(sql, clock).has({ subject: "bob" })).toBe(true);
});

test("[I8] who has tokens that do not say when they were made waits as long as one can last, and no longer", async () => {
  const { sql, clock, revocations } = scene();
  revocations.add({ subject: "ann" }, LIFETIME_S);
  revocations.add({ tokenId: "t" }, LIFETIME_S);
  await clock.advance(LIFETIME_S * 1_000 - 1_000);
  expect(revocations.has({ subject: "ann" })).toBe(true);
  await clock.advance(1_000);
  for (const one of [revocations, new Revocations(sql, clock)]) {
    expect(one.has({ subject: "ann" })).toBe(false);
    expect(one.has({ subject: "x", tokenId: "t" })).toBe(false);
  }
});

test("[I5] so many are remembered and no more, and one that is repeated counts once", async () => {
  const { clock, revocations } = scene();
  for (let n = 0; n < MAX_REVOCATIONS; n += 1) revocations.add({ tokenId: `t${n}` }, LIFETIME_S);
  revocations.add({ tokenId: "t0" }, LIFETIME_S);
  expect(() => {
    revocations.add({ tokenId: "more" }, LIFETIME_S);
  }).toThrow(expect.objectContaining({ code: "too_many_revocations" }));
  await clock.advance(LIFETIME_S * 1_000);
  revocations.add({ tokenId: "more" }, LIFETIME_S);
  expect(revocations.has({ tokenId: "more" })).toBe(true);
});

test("[I8] where nothing is revoked nothing is stored", () => {
  const { sql, revocations } = scene();
  expect(revocations.has({ subject: "ann" })).toBe(false);
  expect(sql.exec("SELECT name FROM sqlite_master").toArray()).toEqual([]);
});
