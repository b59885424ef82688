/**
 * Owns one connection between a device and the room: what is under way in both directions, and
 * whether the room keeps to the credit it granted (I5). Refuses to know what the frames do.
 */
import { ok } from "node:assert/strict";
import type { Door } from "../../../durable-objects/delivery/connection.ts";
import { encodeClientFrame } from "../../../src/protocol/encode-client-frame.ts";
import { PAGE_BYTES } from "../../../src/protocol/limits.ts";
import type { ClientFrame, Credit, ServerFrame } from "../../../src/protocol/frames.ts";
import { parseServerFrame } from "../../../src/protocol/parse-server-frame.ts";
import { FakeSocket } from "../../support/fake-socket.ts";

/** Bytes of a deliver frame that are no entries, at most. */
const FRAME_OVERHEAD = 16;

export class Link {
  readonly socket = new FakeSocket();
  readonly door: Door;
  /** Whose it is; the empty name is nobody's, who never speaks. */
  readonly device: string;
  /** Frames on their way to the room. */
  readonly up: ClientFrame[] = [];
  /** When the last heartbeat came; undefined while they come as they should. */
  silentSince: number | undefined;
  /** What the room has heard: who it is, and which state it shows since when. */
  member: string | undefined;
  state: unknown;
  spoke = 0;
  /** What the log held in the room's last sleep was less than this connection had not acknowledged. */
  #hasGuesses = false;
  readonly #down: { readonly frame: ServerFrame; readonly bytes: number }[] = [];
  #taken = 0;
  #credit: Credit | undefined;
  #acked: number | undefined;
  #sent: { readonly last: number; readonly bytes: number }[] = [];

  constructor(device: string, door: Door) {
    this.device = device;
    this.door = door;
  }

  /** Frames that the device has not read yet. */
  get waiting(): number {
    return this.#down.length - this.#taken;
  }

  /** The next frame for the room, as the platform hands it over. */
  takeUp(): { readonly frame: ClientFrame; readonly bytes: ArrayBuffer } | undefined {
    const frame = this.up.shift();
    if (frame === undefined) return undefined;
    if (frame.kind === "ack" && frame.seq > (this.#acked ?? 0)) this.#acked = frame.seq;
    return { frame, bytes: new Uint8Array(encodeClientFrame(frame)).buffer };
  }

  /** The next frame for the device. */
  takeDown(): { readonly frame: ServerFrame; readonly bytes: number } | undefined {
    const down = this.#down[this.#taken];
    if (down !== undefined) this.#taken += 1;
    return down;
  }

  /** The room slept when its log began at `head`; of what it had trimmed, the sizes can only be guessed. */
  sleep(head: number): void {
    if (head > (this.#acked ?? 0) + 1) this.#hasGuesses = true;
  }

  /** Looks at what the room has sent since the last look. */
  inspect(): void {
    for (const bytes of this.socket.sent.splice(0)) {
      const frame = parseServerFrame(bytes);
      ok(frame !== undefined, "the room sent a frame of no known type");
      if (frame.kind === "welcome") this.#credit = frame.credit;
      if (frame.kind === "gap") this.#acked = Math.max(this.#acked ?? 0, frame.to);
      if (frame.kind === "deliver") {
        this.#spend(frame.first, frame.entries.length, bytes.byteLength - FRAME_OVERHEAD);
      }
      this.#down.push({ frame, bytes: bytes.byteLength });
    }
  }

  #spend(first: number, count: number, bytes: number): void {
    const credit = this.#credit;
    ok(credit !== undefined, "delivered before the welcome");
    const acked = (this.#acked ??= first - 1);
    this.#sent = this.#sent.filter(({ last }) => last > acked);
    const outstanding = this.#sent.reduce((sum, page) => sum + page.bytes, 0);
    // A flush or a page begins only while there is credit, and may exceed it by itself.
    ok(first - 1 - acked < credit.messages, `[I5] ${first} sent, ${acked} acknowledged`);
    const window = this.#hasGuesses ? 2 * credit.bytes + PAGE_BYTES : credit.bytes;
    ok(outstanding < window, `[I5] ${outstanding} of ${window} bytes`);
    this.#sent.push({ last: first + count - 1, bytes });
  }
}
