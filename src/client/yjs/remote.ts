/** Owns how a document on the server is read and changed. Refuses to know when. */
import { eventOf } from "../../protocol/documents.ts";
import { MAX_MESSAGE_BYTES } from "../../protocol/limits.ts";
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import type { Room } from "../room/types.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { insist } from "./insist.ts";

/** Bytes that say before an update in a message how long it is. */
const HEADER_BYTES = 3;

export class RemoteDocument {
  /** The event of the messages that change it. */
  readonly event: string;
  readonly #context: Context;
  readonly #room: Room;
  readonly #path: string;

  constructor(context: Context, room: Room, name: string) {
    this.event = eventOf(name);
    this.#context = context;
    this.#room = room;
    this.#path = `/v1/rooms/${encodeURIComponent(room.name)}/documents/${encodeURIComponent(name)}`;
  }

  /**
   * Updates that are the whole state together. Asks until there is an answer.
   *
   * @throws ClientError what the server has against it; `bad_answer`; `closed` once the signal is aborted.
   */
  async read(signal: AbortSignal): Promise<readonly Uint8Array[]> {
    const headers = { accept: "application/json" };
    const answer = await insist(this.#context, { path: this.#path, headers }, signal);
    try {
      return (answer as { readonly updates: readonly string[] }).updates.map(fromBase64);
    } catch (cause) {
      throw new ClientError("bad_answer", "The answer holds no document.", { cause });
    }
  }

  /**
   * Sends a change; resolves when it is stored. Waits for a connection, or asks until there is an answer.
   *
   * @throws ClientError what the server has against it; `closed` once the signal is aborted.
   */
  async write(update: Uint8Array, signal: AbortSignal): Promise<void> {
    if (update.length + HEADER_BYTES <= MAX_MESSAGE_BYTES) {
      try {
        await this.#room.publish(this.event, update);
        return;
      } catch (error) {
        // Full of the application's own messages, or made for smaller ones.
        if ((error as Partial<ClientError>).code !== "outbox_full") throw error;
      }
    }
    const body = { update: toBase64(update) };
    await insist(this.#context, { path: this.#path, body }, signal);
  }
}
