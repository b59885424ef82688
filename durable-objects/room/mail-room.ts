/**
 * Owns direct messages between members, present or not. Refuses to know who is connected; whoever
 * is shown to it is sent what waits.
 */
import { arrayHeader, concat, encodeField } from "../../src/protocol/bytes.ts";
import { encodeEntry, encodeMail } from "../../src/protocol/encode-server-frame.ts";
import { documentOf } from "../../src/protocol/documents.ts";
import { SluiceError } from "../../src/protocol/errors.ts";
import { MAX_MAIL_AHEAD, MAX_MAIL_AHEAD_BYTES } from "../../src/protocol/limits.ts";
import type { Clock } from "../../src/stream/clock.ts";
import { type Connection, saveConnection } from "../delivery/connection.ts";
import type { Mail, Mailbox } from "../log/mailbox.ts";
import type { Message } from "../delivery/publisher.ts";

/** Fields of a mail entry: its number and those of an entry. */
const MAIL_FIELDS = 6;

export class MailRoom {
  readonly #mailbox: Mailbox;
  readonly #clock: Clock;
  readonly #send: (connection: Connection, frame: Uint8Array) => unknown;

  constructor(
    mailbox: Mailbox,
    clock: Clock,
    send: (connection: Connection, frame: Uint8Array) => unknown,
  ) {
    this.#mailbox = mailbox;
    this.#clock = clock;
    this.#send = send;
  }

  /**
   * Stores a message for a member and returns its number; a repeated one has the number it had.
   *
   * @throws SluiceError `mailbox_full`; `bad_name` for an event that changes documents, which are everybody's.
   */
  put(member: string, message: Message): number {
    if (documentOf(message.event) !== undefined) {
      throw new SluiceError("bad_name", { detail: "Events that begin with `doc:` are for all." });
    }
    const { sender, id } = message;
    // Stored as it will be sent, but for the array's header and the number, which come before it.
    const content = encodeEntry({ ...message, at: this.#clock.now() }).subarray(1);
    const put = this.#mailbox.put({ member, sender, id, content });
    if (put.kind === "refused") throw new SluiceError(put.code);
    return put.number;
  }

  /** Sends a connection what waits for its member, as far as it may be under way. */
  deliver(connection: Connection): void {
    if (connection.door !== "member" || connection.phase.kind === "greeting") return;
    const page = this.pageFor(connection);
    if (page === undefined) return;
    connection.mailSent = page.last;
    // Before the room sleeps: what was sent must not be sent again.
    saveConnection(connection);
    this.#send(connection, page.frame);
  }

  /** The next frame of messages for a connection; undefined when none waits or enough are under way. */
  pageFor({
    member,
    mailAcked,
    mailSent,
  }: Connection): { readonly frame: Uint8Array; readonly last: number } | undefined {
    const waiting = this.#mailbox.after(member, mailAcked, MAX_MAIL_AHEAD);
    const fresh = within(waiting, MAX_MAIL_AHEAD_BYTES).filter(({ number }) => number > mailSent);
    const last = fresh.at(-1)?.number;
    if (last === undefined) return undefined;
    const entries = fresh.flatMap(({ number, content }) => [
      arrayHeader(MAIL_FIELDS),
      encodeField(number),
      content,
    ]);
    return { frame: encodeMail(fresh.length, concat(entries)), last };
  }

  /** A member has everything up to `number`. */
  acknowledge(member: string, number: number): void {
    this.#mailbox.acknowledge(member, number);
  }
}

/** The first messages that have so many bytes together; one may have more. */
function within(waiting: readonly Mail[], maxBytes: number): readonly Mail[] {
  let bytes = 0;
  const end = waiting.findIndex(({ content }, index) => {
    bytes += content.byteLength;
    return bytes > maxBytes && index > 0;
  });
  return end === -1 ? waiting : waiting.slice(0, end);
}
