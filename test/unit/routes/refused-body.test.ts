import { expect, test } from "vitest";
import {
  REFUSED_BODY_BYTES,
  REFUSED_BODY_IDLE_MS,
  REFUSED_BODY_MS,
  REFUSED_PIECE_BYTES,
} from "../../../src/protocol/limits.ts";
import { dropBody } from "../../../src/routes/refused-body.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** Node asks for `duplex`, which the platform's types do not know. */
function post(body: ReadableStream<Uint8Array>, headers: Readonly<Record<string, string>> = {}) {
  const init = { method: "POST", headers, body, duplex: "half" };
  return new Request("http://127.0.0.1/", init);
}

/** A request whose body has this many pieces, and how many of them were taken. */
function requestOf(pieces: number, headers: Readonly<Record<string, string>> = {}) {
  let taken = 0;
  const body = new ReadableStream(
    {
      type: "bytes",
      pull(controller) {
        if (taken === pieces) {
          controller.close();
          controller.byobRequest?.respond(0);
          return;
        }
        taken += 1;
        controller.enqueue(new Uint8Array(REFUSED_PIECE_BYTES));
      },
    },
    { highWaterMark: 0 },
  );
  return { request: post(body, headers), taken: () => taken };
}

test("[E2][L5] what is left of a body is read to its end", async () => {
  const { request, taken } = requestOf(10);
  const reader = request.body?.getReader();
  await reader?.read();
  reader?.releaseLock();
  const clock = new FakeClock();
  await dropBody(request, clock);
  expect([taken(), clock.armed]).toEqual([10, 0]);
});

test("[E2] no more than the limit is read of a body without an end", async () => {
  const { request, taken } = requestOf(Number.POSITIVE_INFINITY);
  await dropBody(request, new FakeClock());
  expect(taken()).toBe(REFUSED_BODY_BYTES / REFUSED_PIECE_BYTES + 1);
});

test("[E2] nothing is read of a body that says that it is longer", async () => {
  const { request, taken } = requestOf(10, { "content-length": String(REFUSED_BODY_BYTES + 1) });
  await dropBody(request, new FakeClock());
  expect(taken()).toBe(0);
});

test("[E2][I7] a sender that stops is not waited for", async () => {
  const clock = new FakeClock();
  const body = new ReadableStream({ type: "bytes", pull: () => new Promise<void>(() => {}) });
  let isOver = false;
  const over = dropBody(post(body), clock).then(() => {
    isOver = true;
  });
  await clock.advance(REFUSED_BODY_IDLE_MS - 1);
  expect(isOver).toBe(false);
  await clock.advance(1);
  await over;
  expect(clock.armed).toBe(0);
});

test("[E2] a body that somebody else still reads is left to them", async () => {
  const { request, taken } = requestOf(10);
  const reader = request.body?.getReader();
  await dropBody(request, new FakeClock());
  expect(taken()).toBe(0);
  await reader?.cancel();
});

test("[E2] a request without a body, and one whose body broke off, are no error", async () => {
  await dropBody(new Request("http://127.0.0.1/"), new FakeClock());
  const body = new ReadableStream({
    type: "bytes",
    start: (controller) => {
      controller.error(new Error("gone"));
    },
  });
  await expect(dropBody(post(body), new FakeClock())).resolves.toBeUndefined();
});

test("[E2] a sender that is slow has a time in all", async () => {
  const clock = new FakeClock();
  let sender: ReadableByteStreamController | undefined;
  const body = new ReadableStream({
    type: "bytes",
    start: (controller) => {
      sender = controller;
    },
  });
  const over = dropBody(post(body), clock);
  for (let ms = 1_000; ms < REFUSED_BODY_MS; ms += 1_000) {
    sender?.enqueue(new Uint8Array(1));
    await clock.advance(1_000);
    expect(clock.armed).toBe(1);
  }
  await clock.advance(1_000);
  await over;
  expect(clock.armed).toBe(0);
});

test("[E2] what is left of a body is read however long all of it is", async () => {
  const { request, taken } = requestOf(10, { "content-length": String(REFUSED_BODY_BYTES + 1) });
  const reader = request.body?.getReader();
  await reader?.read();
  reader?.releaseLock();
  await dropBody(request, new FakeClock());
  expect(taken()).toBe(10);
});

test("[E2] who asks before the body is sent is answered before", async () => {
  const { request, taken } = requestOf(10, { expect: "100-continue" });
  await dropBody(request, new FakeClock());
  expect(taken()).toBe(0);
});

test("[E2] a body that is no stream of bytes is left alone", async () => {
  const body = new ReadableStream<Uint8Array>();
  await expect(dropBody(post(body), new FakeClock())).resolves.toBeUndefined();
});
