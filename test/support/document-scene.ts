/** Owns a room in which somebody writes a document. */
import { join } from "../../durable-objects/document/update.ts";
import { encodeValue } from "../../src/protocol/value.ts";
import type { FakeSocket } from "./fake-socket.ts";
import { RoomScene } from "./room-scene.ts";
import { textOf, writer } from "./writer.ts";

/** The event of its changes. */
export const NOTES = "doc:notes";

/** See the module. */
export class DocumentScene extends RoomScene {
  readonly writer = writer(1);
  readonly ann: FakeSocket = this.join("ann");
  #sent = 0;

  /** Does something to the document and publishes what it has done so far. */
  write(change: () => void, event = NOTES): void {
    const before = this.writer.updates.length;
    change();
    for (const update of this.writer.updates.slice(before)) this.say(update, event);
  }

  say(payload: unknown, event = NOTES): void {
    const id = `m${(this.#sent += 1)}`;
    this.send(this.ann, { kind: "publish", id, event, payload: encodeValue(payload) });
    this.room.publisher.flush();
  }

  /** As after a sleep that nobody was awake for. */
  sleep(): void {
    this.wake(this.ann);
  }

  read(name = "notes"): string {
    return textOf(join(this.room.documents.read(this.room.log, name).parts));
  }

  get version(): string {
    return this.room.documents.read(this.room.log, "notes").version;
  }

  get refusals(): readonly string[] {
    return this.ann.of("error").map(({ code }) => code);
  }

  /** Publishes so many messages that have nothing to do with it. */
  chat(count: number): void {
    const ignore = { stored: () => {}, refused: () => {} };
    const payload = encodeValue("x");
    for (let n = 0; n < count; n += 1) {
      // A backend, which no rate holds up.
      this.room.publisher.publish({ sender: "", id: "", event: "chat", payload }, ignore);
      this.room.publisher.flush();
    }
  }
}

/** Nobody here speaks too fast. */
export const FAST = {
  messageRate: { perSecond: 1e6, burst: 1e6 },
  byteRate: { perSecond: 1e9, burst: 1e9 },
};

/** A room that keeps so much. */
export function scene(retention: { readonly maxEntries?: number } = {}): DocumentScene {
  return new DocumentScene({ ...FAST, retention });
}
