import { describe, expect, it } from "vitest";
import { encodeDeliver, encodeEntry } from "../../../src/protocol/encode-server-frame.ts";
import { HEARTBEAT_MS } from "../../../src/protocol/limits.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { readFrames } from "../../../src/sse/gateway.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

/** The Worker's side of an object's socket. */
class FakeObjectSocket extends EventTarget {
  binaryType = "blob";
  isClosed = false;
  readonly sent: unknown[] = [];

  accept(): void {}

  send(data: unknown): void {
    if (this.isClosed) throw new TypeError("Can't call WebSocket send() after close().");
    this.sent.push(data);
  }

  close(): void {
    this.isClosed = true;
  }

  deliver(seq: number): void {
    const payload = encodeValue(seq);
    const entry = encodeEntry({ sender: "", at: 1, event: "tick", payload, id: String(seq) });
    const data = encodeDeliver(seq, 1, entry).slice().buffer;
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  end(type: "close" | "error", code = 1006): void {
    this.isClosed = true;
    this.dispatchEvent(Object.assign(new Event(type), { code }));
  }
}

function open() {
  const clock = new FakeClock();
  const socket = new FakeObjectSocket();
  const abort = new AbortController();
  const frames = readFrames(socket as unknown as WebSocket, { clock, signal: abort.signal });
  return { clock, socket, abort, frames };
}

describe("[S1] reading an object's frames", () => {
  it("[W2] shows that it lives while it waits, and stops when it is done", async () => {
    const { clock, socket, frames } = open();
    const next = frames.next();
    await clock.advance(HEARTBEAT_MS * 3);
    // The first thing said is that somebody is here.
    expect(socket.sent).toEqual([expect.any(Uint8Array), "ping", "ping", "ping"]);
    socket.deliver(1);
    expect((await next).value).toMatchObject({ kind: "deliver", first: 1 });
    await frames.return();
    expect([socket.isClosed, clock.armed]).toEqual([true, 0]);
  });

  it.each(["close", "error"] as const)(
    "[L5] [I7] says so when the socket is lost by a %s, after what had come, and beats no more",
    async (type) => {
      const { clock, socket, frames } = open();
      const first = frames.next();
      await settle();
      socket.deliver(1);
      socket.deliver(2);
      socket.end(type);
      // Nobody reads now: the heart must not beat into a closed socket.
      await clock.advance(HEARTBEAT_MS * 3);
      expect(clock.armed).toBe(0);
      expect((await first).value).toMatchObject({ first: 1 });
      expect((await frames.next()).value).toMatchObject({ first: 2 });
      await expect(frames.next()).rejects.toMatchObject({ code: "stream_interrupted" });
    },
  );

  it("[I7] ends in peace when its reader goes or the object says that it is over", async () => {
    const gone = open();
    const waiting = gone.frames.next();
    await settle();
    gone.abort.abort();
    expect((await waiting).done).toBe(true);
    expect([gone.socket.isClosed, gone.clock.armed]).toEqual([true, 0]);
    const over = open();
    const last = over.frames.next();
    await settle();
    over.socket.end("close", 1000);
    expect((await last).done).toBe(true);
    expect(over.clock.armed).toBe(0);
  });
});
