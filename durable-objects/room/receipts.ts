/** Owns telling senders that their messages are durable, many in one frame. Refuses to know how they became so. */
import { encodeServerFrame } from "../../src/protocol/encode-server-frame.ts";
import type { Published } from "../../src/protocol/frames.ts";
import type { Connection } from "../delivery/connection.ts";
import type { ControlChannel } from "../delivery/control-channel.ts";

export class Receipts {
  readonly #control: ControlChannel;
  readonly #waiting = new Map<Connection, Published[]>();

  constructor(control: ControlChannel) {
    this.#control = control;
  }

  /** A connection's message has this number; it is told with the next flush. */
  add(connection: Connection, published: Published): void {
    const waiting = this.#waiting.get(connection);
    if (waiting === undefined) this.#waiting.set(connection, [published]);
    else waiting.push(published);
  }

  /** Tells what there is to tell. */
  flush(): void {
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [connection, published] of waiting) {
      this.#control.send(connection, encodeServerFrame({ kind: "published", published }));
    }
  }

  /** Forgets a connection that is gone. */
  forget(connection: Connection): void {
    this.#waiting.delete(connection);
  }
}
