import { expect, test } from "vitest";
import { Tokens } from "../../../src/client/connection/tokens.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const jwt = (exp: number): string => `x.${btoa(JSON.stringify({ exp })).replaceAll("=", "")}.y`;

test("[E2] a function is asked once for all, and again when what it gave has ended", async () => {
  const clock = new FakeClock();
  let calls = 0;
  const tokens = new Tokens(() => {
    calls += 1;
    return jwt(clock.now() / 1000 + 60);
  }, clock);
  const [one, other] = await Promise.all([tokens.get(), tokens.get()]);
  expect([one === other, calls]).toEqual([true, 1]);
  await clock.advance(54_000);
  expect(await tokens.get()).toBe(one);
  await clock.advance(1_001);
  expect(await tokens.get()).not.toBe(one);
  expect(calls).toBe(2);
});

test("[E2] a token that ends within moments is used for half of them", async () => {
  const clock = new FakeClock();
  let calls = 0;
  const tokens = new Tokens(() => {
    calls += 1;
    return jwt((clock.now() + 4_000) / 1000);
  }, clock);
  const first = await tokens.get();
  await clock.advance(1_900);
  expect([await tokens.get(), calls]).toEqual([first, 1]);
  await clock.advance(200);
  await tokens.get();
  expect(calls).toBe(2);
});

test("[E2] what was refused is replaced once for all who had it", async () => {
  let calls = 0;
  const tokens = new Tokens(() => {
    calls += 1;
    return `opaque-${calls}`;
  }, new FakeClock());
  const first = await tokens.get();
  expect(await tokens.get(first)).toBe("opaque-2");
  expect(await tokens.get(first)).toBe("opaque-2");
  expect(calls).toBe(2);
});

test("[E2] a function that fails is an error with a code, and is asked again", async () => {
  let fails = true;
  const tokens = new Tokens(() => {
    if (fails) throw new Error("the session is gone");
    return "good";
  }, new FakeClock());
  await expect(tokens.get()).rejects.toMatchObject({ code: "token" });
  fails = false;
  expect(await tokens.get()).toBe("good");
  expect(await new Tokens("fixed", new FakeClock()).get("fixed")).toBe("fixed");
});
