import { expect, test } from "vitest";
import { REFUSED_BODY_BYTES, REFUSED_BODY_IDLE_MS } from "../../../src/protocol/limits.ts";
import { dropBody } from "../../../src/routes/refused-body.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const PIECE = new Uint8Array(64 * 1024);

/** Node asks for `duplex`, which the platform's types do not know. */
function post(body: ReadableStream<Uint8Array>, headers: Readonly<Record<string, string>> = {}) {
  const init = { method: "POST", headers, body, duplex: "half" };
  return new Request("http://127.0.0.1/", init);
}

/** A request whose body has this many pieces, and how many of them were taken. */
function requestOf(pieces: number, headers: Readonly<Record<string, string>> = {}) {
  let taken = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (taken === pieces) {
          controller.close();
          return;
        }
        taken += 1;
        controller.enqueue(PIECE);
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
  expect(taken()).toBe(REFUSED_BODY_BYTES / PIECE.byteLength + 1);
});

test("[E2] nothing is read of a body that says that it is longer", async () => {
  const { request, taken } = requestOf(10, { "content-length": String(REFUSED_BODY_BYTES + 1) });
  await dropBody(request, new FakeClock());
  expect(taken()).toBe(0);
});

test("[E2][I7] a sender that stops is not waited for", async () => {
  const clock = new FakeClock();
  const body = new ReadableStream<Uint8Array>({ pull: () => new Promise<void>(() => {}) });
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
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.error(new Error("gone"));
    },
  });
  await expect(dropBody(post(body), new FakeClock())).resolves.toBeUndefined();
});
