import { expect, test } from "vitest";
import { acceptConnection, type Connection } from "../../../durable-objects/delivery/connection.ts";
import { judge } from "../../../durable-objects/delivery/sweep.ts";
import { CLOSE } from "../../../src/protocol/close-codes.ts";
import { DEAD_AFTER_MS, HELLO_TIMEOUT_MS } from "../../../src/protocol/limits.ts";
import { FakeSocket } from "../../support/fake-socket.ts";
import { OPEN_PERMIT } from "../../../src/protocol/permit.ts";

const JOINED = 1_000_000;

function connection(phase: Connection["phase"]): Connection {
  const facts = { id: "c1", door: "member", joinedAt: JOINED, permit: OPEN_PERMIT } as const;
  return Object.assign(acceptConnection(new FakeSocket(), facts), { phase });
}

function judgeAt(
  phase: Connection["phase"],
  now: number,
  { beat, isAwaited = false }: { readonly beat?: number; readonly isAwaited?: boolean } = {},
): unknown {
  const patience = { lastBeat: () => beat, isAwaited: () => isAwaited, patienceMs: 5_000 };
  return judge(connection(phase), { now, ...patience });
}

test("[P20] who says no hello in time is given up", () => {
  const greeting = { kind: "greeting" } as const;
  expect(judgeAt(greeting, JOINED + HELLO_TIMEOUT_MS - 1)).toBeUndefined();
  expect(judgeAt(greeting, JOINED + HELLO_TIMEOUT_MS)).toBe(CLOSE.helloTimeout);
});

test("[L3][I7] who is served and has never said anything is not there", () => {
  const live = { kind: "live" } as const;
  const isAwaited = true;
  expect(judgeAt(live, JOINED + HELLO_TIMEOUT_MS - 1, { isAwaited })).toBeUndefined();
  expect(judgeAt(live, JOINED + HELLO_TIMEOUT_MS, { isAwaited })).toBe(CLOSE.helloTimeout);
});

test("[W2] who stopped pinging, or never began, is dead", () => {
  const live = { kind: "live" } as const;
  expect(judgeAt(live, JOINED + DEAD_AFTER_MS - 1)).toBeUndefined();
  expect(judgeAt(live, JOINED + DEAD_AFTER_MS)).toBe(CLOSE.helloTimeout);
  const beat = JOINED + 500_000;
  expect(judgeAt(live, beat + DEAD_AFTER_MS - 1, { beat })).toBeUndefined();
  expect(judgeAt(live, beat + DEAD_AFTER_MS, { beat })).toBe(CLOSE.helloTimeout);
});

test("[B3][P52] who takes nothing for longer than the patience is a slow consumer", () => {
  const since = JOINED + 1_000;
  const lagging = { kind: "lagging", cursor: 1, since } as const;
  expect(judgeAt(lagging, since + 4_999)).toBeUndefined();
  expect(judgeAt(lagging, since + 5_000)).toBe(CLOSE.slowConsumer);
});
