/**
 * Owns a member of our rooms, as the protocol asks: hello, acks at half the window, everything in
 * order. Counts the entries of deliver frames; a witness reads them.
 */
import { encodeClientFrame } from "../../src/protocol/encode-client-frame.ts";
import { FRAME } from "../../src/protocol/frames.ts";
import { DEFAULT_CREDIT_BYTES, DEFAULT_CREDIT_MESSAGES } from "../../src/protocol/limits.ts";
import { parseServerFrame } from "../../src/protocol/parse-server-frame.ts";
import { encodeValue } from "../../src/protocol/value.ts";
import { clientFrame } from "../support/load-socket.ts";
import { Member } from "./member.ts";
import { indexAt, sentAtOf } from "../support/text.ts";

const PING = clientFrame("ping");
const OTHER_BYTES_PER_ACK = 65_536;

/** Everyone acknowledges the same positions: their frames are made once. */
let lastAck: { readonly seq: number; readonly frame: Buffer } = { seq: -1, frame: Buffer.alloc(0) };

export class SluiceMember extends Member {
  #epoch: string | undefined;
  #acked = this.seat.resume?.seq ?? 0;
  #seq = this.#acked;
  #deliverBytes = 0;
  #otherBytes = 0;

  override get epoch(): string | undefined {
    return this.#epoch;
  }

  override publishFrame(text: string, index: number): Buffer {
    const payload = encodeValue(Buffer.from(text));
    return clientFrame(
      encodeClientFrame({ kind: "publish", id: String(index), event: "m", payload }),
    );
  }

  override heartbeat(): Buffer {
    return PING;
  }

  protected override open(): void {
    const { name, resume } = this.seat;
    this.send(
      clientFrame(
        encodeClientFrame({
          kind: "hello",
          member: name,
          resume,
          mail: undefined,
          history: undefined,
          state: undefined,
          credit: undefined,
        }),
      ),
    );
  }

  protected override read(bytes: Buffer, start: number, end: number, at: number): void {
    if (bytes[start + 1] === FRAME.deliver) {
      this.#deliver(bytes, start, end, at);
      return;
    }
    this.#otherBytes += end - start;
    if (this.#otherBytes >= OTHER_BYTES_PER_ACK) this.#ack();
    const type = bytes[start + 1] ?? 0;
    switch (type) {
      case FRAME.welcome:
        if (this.seat.isWitness) {
          const frame = parseServerFrame(Buffer.from(bytes.subarray(start, end)));
          if (frame?.kind === "welcome") this.#epoch = frame.epoch;
        }
        this.events.joined();
        return;
      case FRAME.published: {
        const frame = parseServerFrame(bytes.subarray(start, end));
        if (frame?.kind === "published") this.events.confirmed(frame.published.length);
        return;
      }
      case FRAME.error:
      case FRAME.gap:
        this.events.failed(JSON.stringify(parseServerFrame(bytes.subarray(start, end))));
    }
  }

  #deliver(bytes: Buffer, start: number, end: number, at: number): void {
    const [first, afterFirst] = readCount(bytes, start + 2);
    const [count] = readCount(bytes, afterFirst);
    if (this.timed) this.keep(bytes, start, end, at);
    else if (this.seat.isWitness) this.examine(bytes.subarray(start, end));
    this.#seq = first + count - 1;
    this.#deliverBytes += end - start;
    // Before the crowd hears of it: a round is over when everyone has everything.
    if (
      this.#seq - this.#acked >= DEFAULT_CREDIT_MESSAGES / 2 ||
      this.#deliverBytes >= DEFAULT_CREDIT_BYTES / 2
    ) {
      this.#ack();
    }
    this.hear(first - 1, count);
  }

  protected override examine(frame: Buffer, at?: number): void {
    const parsed = parseServerFrame(frame);
    if (parsed?.kind !== "deliver") throw new Error("A deliver frame is none.");
    for (const [nth, { payload }] of parsed.entries.entries()) {
      if (!(payload instanceof Uint8Array) || indexAt(payload, 0) !== parsed.first + nth - 1) {
        this.events.failed(`position ${parsed.first + nth} holds another message`);
        return;
      }
      if (at !== undefined) this.events.delayed(at - sentAtOf(payload, 0));
    }
  }

  #ack(): void {
    this.#acked = this.#seq;
    this.#deliverBytes = 0;
    this.#otherBytes = 0;
    if (lastAck.seq !== this.#seq) {
      const ack = encodeClientFrame({ kind: "ack", seq: this.#seq, mail: 0 });
      lastAck = { seq: this.#seq, frame: clientFrame(ack) };
    }
    this.send(lastAck.frame);
  }
}

/** A number or an array's header, and where it ends. */
function readCount(bytes: Buffer, at: number): readonly [number, number] {
  const head = bytes[at] ?? 0;
  switch (head) {
    case 0xcc:
      return [bytes.readUInt8(at + 1), at + 2];
    case 0xcd:
    case 0xdc:
      return [bytes.readUInt16BE(at + 1), at + 3];
    case 0xce:
    case 0xdd:
      return [bytes.readUInt32BE(at + 1), at + 5];
    default:
      return [head >= 0x90 ? head & 0x0f : head, at + 1];
  }
}
