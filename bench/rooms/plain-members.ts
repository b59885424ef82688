/** Owns the members of peers without a protocol of rooms: a frame is a message. */
import { clientFrame } from "../support/load-socket.ts";
import { Member } from "./member.ts";
import { indexAt, sentAtOf } from "../support/text.ts";

const PING = clientFrame("ping");
const PONG_BYTES = 4;

/** A member of a server that passes frames on. */
export class PlainMember extends Member {
  override publishFrame(text: string): Buffer {
    return clientFrame(Buffer.from(text));
  }

  override heartbeat(): Buffer | undefined {
    return undefined;
  }

  protected override open(): void {
    this.events.joined();
  }

  protected override read(bytes: Buffer, start: number, end: number, at: number): void {
    if (end - start === PONG_BYTES) return;
    if (this.timed) this.keep(bytes, start, end, at);
    this.hear(indexAt(bytes, start), 1);
  }

  protected override examine(frame: Buffer, at: number): void {
    this.events.delayed(at - sentAtOf(frame, 0));
  }
}

/** A member of a server that answers pings, as a runtime does for a sleeping object. */
export class PingingMember extends PlainMember {
  override heartbeat(): Buffer {
    return PING;
  }
}

const EVENT = '42["m","';
const CONNECT = clientFrame("40");
const PONG = clientFrame("3");

/** A member of Socket.IO: Engine.IO's packets over a WebSocket, as its client writes them. */
export class SocketIoMember extends Member {
  override publishFrame(text: string): Buffer {
    return clientFrame(`${EVENT}${text}"]`);
  }

  override heartbeat(): Buffer | undefined {
    return undefined;
  }

  protected override open(): void {
    // The server speaks first.
  }

  protected override read(bytes: Buffer, start: number, end: number, at: number): void {
    const kind = String.fromCharCode(bytes[start] ?? 0);
    if (kind === "0") this.send(CONNECT);
    else if (kind === "2") this.send(PONG);
    else if (bytes[start + 1] === "0".charCodeAt(0)) this.events.joined();
    else if (bytes[start + 1] === "2".charCodeAt(0)) {
      const text = start + EVENT.length;
      if (this.timed) this.keep(bytes, text, end, at);
      this.hear(indexAt(bytes, text), 1);
    } else this.events.failed(bytes.toString("latin1", start, end));
  }

  protected override examine(frame: Buffer, at: number): void {
    this.events.delayed(at - sentAtOf(frame, 0));
  }
}
