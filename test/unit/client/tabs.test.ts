import { expect, test } from "vitest";
import { meaningOf } from "../../../src/client/tabs/claims.ts";
import { parseNews, parseShared } from "../../../src/client/tabs/messages.ts";

const jwt = (claims: Record<string, unknown>): string =>
  `${btoa("{}")}.${btoa(JSON.stringify(claims))}.signature`;

test("[S7][E2] tokens of the same person with the same rights share, whatever their times; others do not", () => {
  const ann = meaningOf(jwt({ sub: "ann", scope: ["read"], exp: 1, iat: 0, jti: "a" }));
  expect(meaningOf(jwt({ jti: "b", exp: 2, scope: ["read"], sub: "ann" }))).toBe(ann);
  expect(meaningOf(jwt({ sub: "ann", scope: ["read", "write"], exp: 1 }))).not.toBe(ann);
  expect(meaningOf(jwt({ sub: "bob", scope: ["read"], exp: 1 }))).not.toBe(ann);
  expect(meaningOf("no token at all")).toBe("no token at all");
  expect(meaningOf(undefined)).toBe("");
});

test("[S7] what tabs say to each other is heard", () => {
  const resume = { after: undefined, from: "start", window: 10 };
  const open = { kind: "open", target: { surface: "topic", topics: ["a"], resume } };
  expect(parseShared({ tab: "t", link: "l", request: open })).toEqual({
    tab: "t",
    link: "l",
    request: open,
  });
  expect(parseShared({ leader: "t" })).toEqual({ leader: "t" });
  const event = { kind: "event", event: { id: "1", event: undefined, data: "x" } };
  expect(parseNews({ leader: "t", link: "l", news: event })).toEqual({
    leader: "t",
    link: "l",
    news: event,
  });
});

test.each([
  undefined,
  null,
  7,
  "open",
  {},
  { tab: "t" },
  { tab: "t", link: "l" },
  { tab: "t", link: "l", request: null },
  { tab: "t", link: "l", request: { kind: "dance" } },
  { tab: "t", link: "l", request: { kind: "send", command: { kind: "hello" } } },
  { tab: "t", link: "l", request: { kind: "open", target: { surface: "topic", topics: [] } } },
  { tab: "t", link: "l", request: { kind: "open", target: { surface: "room", resume: {} } } },
  { leader: 1, link: "l", news: { kind: "opened" } },
  { leader: "t", link: "l", news: { kind: "event", event: { id: 1 } } },
  { leader: "t", link: "l", news: { kind: "event", event: { frame: {}, bytes: "1" } } },
  { leader: "t", link: "l", news: { kind: "failed", failure: { code: 1 } } },
])("[S7][W4] what another script says on the channel is not heard: %j", (said) => {
  const shared = parseShared(said);
  // Who says that it leads says no more than that.
  if (shared !== undefined) expect(shared).toEqual({ leader: "t" });
  expect(parseNews(said)).toBeUndefined();
});
