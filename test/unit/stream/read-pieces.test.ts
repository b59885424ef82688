import { expect, test } from "vitest";
import { readPieces } from "../../../src/stream/read-pieces.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A body whose sender says when a piece comes. */
function openBody() {
  let sender: ReadableStreamDefaultController<Uint8Array> | undefined;
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      sender = controller;
    },
    cancel: () => {
      isCancelled = true;
    },
  });
  return {
    body,
    send: () => sender?.enqueue(new Uint8Array(1)),
    end: () => sender?.close(),
    fail: () => sender?.error(new Error("the sender is gone")),
    isCancelled: () => isCancelled,
  };
}

async function readAll(pieces: AsyncIterable<Uint8Array>): Promise<number | string> {
  let size = 0;
  try {
    for await (const piece of pieces) size += piece.byteLength;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : "thrown";
  }
  return size;
}

test("[E2][B3] a body that pauses is waited for, one that stops is not", async () => {
  const clock = new FakeClock();
  const { body, send, isCancelled } = openBody();
  const result = readAll(readPieces(body, { clock, idleMs: 100 }));
  for (let n = 0; n < 20; n += 1) {
    await clock.advance(99);
    send();
  }
  await clock.advance(99);
  expect(isCancelled()).toBe(false);
  await clock.advance(2);
  expect(await result).toBe("body_timeout");
  expect([isCancelled(), clock.armed]).toEqual([true, 0]);
});

test("[E2][B3] a body that trickles has a time in all", async () => {
  const clock = new FakeClock();
  const { body, send } = openBody();
  const result = readAll(readPieces(body, { clock, idleMs: 100, totalMs: 500 }));
  for (let n = 0; n < 8; n += 1) {
    await clock.advance(60);
    send();
  }
  await clock.advance(21);
  expect(await result).toBe("body_timeout");
});

test("[E2][B1] what the reader does between two pieces costs the sender nothing", async () => {
  const clock = new FakeClock();
  const { body, send, end } = openBody();
  send();
  send();
  end();
  let size = 0;
  for await (const piece of readPieces(body, { clock, idleMs: 100, totalMs: 500 })) {
    size += piece.byteLength;
    await clock.advance(10_000);
  }
  expect([size, clock.armed]).toEqual([2, 0]);
});

test("[I7] a body that breaks off is its sender's mistake, and leaves no timer", async () => {
  const clock = new FakeClock();
  const { body, fail } = openBody();
  const result = readAll(readPieces(body, { clock, idleMs: 100 }));
  fail();
  expect(await result).toBe("invalid_request");
  expect(clock.armed).toBe(0);
});

test("[E2] who stops early leaves the rest of the body to be read", async () => {
  const clock = new FakeClock();
  const { body, send, end, isCancelled } = openBody();
  send();
  send();
  end();
  for await (const piece of readPieces(body, { clock, idleMs: 100 })) {
    expect(piece.byteLength).toBe(1);
    break;
  }
  expect([isCancelled(), body.locked, clock.armed]).toEqual([false, false, 0]);
  expect(await readAll(readPieces(body, { clock, idleMs: 100 }))).toBe(1);
});
