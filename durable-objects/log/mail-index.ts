/**
 * Owns what a mailbox knows about its messages without their contents: ids, sizes, totals. Refuses to
 * write anything. Bounded by the limits of the mailbox, whose table it is read back from.
 */
import { type MessageKey, nameOf } from "./message-key.ts";
import { numberIn, type Sql, textIn } from "./sql.ts";
import type { MailEnd } from "./stored-state.ts";

/** A stored message without its content. */
export interface Letter extends MessageKey {
  readonly member: string;
  readonly number: number;
  readonly at: number;
  readonly size: number;
}

/** What waits for one member. */
interface Share {
  readonly letters: Letter[];
  bytes: number;
}

export class MailIndex {
  readonly #numbers = new Map<string, number>();
  readonly #shares = new Map<string, Share>();
  readonly #acknowledged: number[] = [];
  #waiting = 0;
  #bytes = 0;
  #oldestAt: number | undefined;
  #end: MailEnd;

  /** @param end what is known about numbers of messages that are gone. */
  constructor(end: MailEnd) {
    this.#end = end;
  }

  /** Reads the whole table, whose size is bounded, but no content. */
  static read(sql: Sql, table: string, end: MailEnd): MailIndex {
    const index = new MailIndex(end);
    const rows = sql
      .exec(
        `SELECT member, number, at, sender, id, size, content IS NOT NULL AS waits FROM ${table}`,
      )
      .toArray()
      .map((row) => ({
        letter: {
          member: textIn(row, "member"),
          number: numberIn(row, "number"),
          at: numberIn(row, "at"),
          sender: textIn(row, "sender"),
          id: textIn(row, "id"),
          size: numberIn(row, "size"),
        },
        waits: numberIn(row, "waits") === 1,
      }))
      .toSorted((a, b) => a.letter.number - b.letter.number);
    for (const { letter, waits } of rows) index.add(letter, waits);
    return index;
  }

  /** Messages that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Bytes of the messages that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When the oldest stored message was put, acknowledged ones included. */
  get oldestAt(): number | undefined {
    return this.#oldestAt;
  }

  get end(): MailEnd {
    return this.#end;
  }

  /** The number under which `sender` put a message with this id, if it is still known. */
  find({ sender, id }: MessageKey): number | undefined {
    return this.#numbers.get(nameOf({ sender, id }));
  }

  /** How much waits for `member`. */
  of(member: string): { readonly waiting: number; readonly bytes: number } {
    const share = this.#shares.get(member);
    return { waiting: share?.letters.length ?? 0, bytes: share?.bytes ?? 0 };
  }

  /** Adds the newest message. */
  add(letter: Letter, waits: boolean): void {
    if (letter.id !== "") this.#numbers.set(nameOf(letter), letter.number);
    this.#oldestAt ??= letter.at;
    this.#end = { number: Math.max(letter.number, this.#end.number), at: letter.at };
    if (!waits) {
      this.#acknowledged.push(letter.number);
      return;
    }
    const share = this.#shares.get(letter.member) ?? { letters: [], bytes: 0 };
    this.#shares.set(letter.member, share);
    share.letters.push(letter);
    share.bytes += letter.size;
    this.#waiting += 1;
    this.#bytes += letter.size;
  }

  /** Nothing up to `number` waits for `member` any more. */
  acknowledge(member: string, number: number): void {
    const share = this.#shares.get(member);
    if (share === undefined) return;
    const next = share.letters.findIndex((letter) => letter.number > number);
    const gone = share.letters.splice(0, next === -1 ? share.letters.length : next);
    const size = gone.reduce((sum, letter) => sum + letter.size, 0);
    share.bytes -= size;
    this.#bytes -= size;
    this.#waiting -= gone.length;
    for (const letter of gone) this.#acknowledged.push(letter.number);
    if (share.letters.length === 0) this.#shares.delete(member);
  }

  /** When twice `keep` messages are acknowledged: the number before which all but `keep` of them lie. */
  sweepBefore(keep: number): number | undefined {
    if (this.#acknowledged.length < 2 * keep) return undefined;
    return this.#acknowledged.toSorted((a, b) => a - b).at(-keep);
  }
}
