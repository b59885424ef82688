import { expect, test } from "vitest";
import { tokensOf } from "../../../src/client/connection/tokens.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const jwt = (exp: number): string => `x.${btoa(JSON.stringify({ exp })).replaceAll("=", "")}.y`;

test("[E2] a function is asked once for all, and again when what it gave has ended", async () => {
  const clock = new FakeClock();
  let calls = 0;
  const tokens = tokensOf(() => {
    calls += 1;
    return jwt(clock.now() / 1000 + 60);
  }, clock);
  const [one, other] = await Promise.all([tokens(), tokens()]);
  expect([one === other, calls]).toEqual([true, 1]);
  await clock.advance(54_000);
  expect(await tokens()).toBe(one);
  await clock.advance(1_001);
  expect(await tokens()).not.toBe(one);
  expect(calls).toBe(2);
});

test("[E2] a token that ends within moments is used for half of them", async () => {
  const clock = new FakeClock();
  let calls = 0;
  const tokens = tokensOf(() => {
    calls += 1;
    return jwt((clock.now() + 4_000) / 1000);
  }, clock);
  const first = await tokens();
  await clock.advance(1_900);
  expect([await tokens(), calls]).toEqual([first, 1]);
  await clock.advance(200);
  await tokens();
  expect(calls).toBe(2);
});

test("[E2] what was refused is replaced once for all who had it", async () => {
  let calls = 0;
  const tokens = tokensOf(() => {
    calls += 1;
    return `opaque-${calls}`;
  }, new FakeClock());
  const first = await tokens();
  expect(await tokens(first)).toBe("opaque-2");
  expect(await tokens(first)).toBe("opaque-2");
  expect(calls).toBe(2);
});

test("[E2] a function that fails is an error with a code, and is asked again", async () => {
  let fails = true;
  const tokens = tokensOf(() => {
    if (fails) throw new Error("the session is gone");
    return "good";
  }, new FakeClock());
  await expect(tokens()).rejects.toMatchObject({ code: "token" });
  fails = false;
  expect(await tokens()).toBe("good");
  expect(await tokensOf("fixed", new FakeClock())("fixed")).toBe("fixed");
});
