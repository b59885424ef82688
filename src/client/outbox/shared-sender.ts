/**
 * Owns one queue of all tabs as one tab has it: a mirror of all that waits, of which this tab sends when it is
 * its turn, and hears what the others say. Refuses to know how tabs find each other.
 */
import type { Published } from "../../protocol/frames.ts";
import { claimsOf } from "../claims.ts";
import { ClientError } from "../errors.ts";
import type { OutboxOptions } from "../room/types.ts";
import type { Entry, SenderParts } from "./entry.ts";
import { Receipts } from "./receipts.ts";
import { Sender } from "./sender.ts";
import type { OutboxMessage, QueueMember, QueueNews, QueueSeat } from "./types.ts";

/** What a token says of whose it is. */
interface MemberClaims {
  readonly sub: string;
  /** A name in rooms instead. */
  readonly sluice: { readonly member?: string };
}

/** Takes a seat in the queue of this name; undefined where nobody else can have it. */
export type JoinQueue = (box: string, member: QueueMember) => QueueSeat | undefined;

export class SharedSender extends Sender implements QueueMember {
  readonly #join: JoinQueue;
  /** Among the tabs that have the same queue; undefined where there are none. */
  #seat: QueueSeat | undefined;
  /** Whether it is this tab that sends. */
  #isMyTurn = false;
  /** Whether the storage was read before: what was said here has its place among the rest then. */
  #isLoaded = false;
  readonly #receipts = new Receipts();
  /** Whether the name of the queue says whose it is. */
  readonly #isNamed: boolean;

  constructor(options: OutboxOptions, parts: SenderParts, join: JoinQueue) {
    super(options, parts);
    this.#join = join;
    this.#isNamed = parts.room.member !== undefined;
  }

  turn(isMine: boolean): void {
    this.#isMyTurn = isMine;
    this.isReady = false;
    if (isMine) void this.#takeTurn();
  }

  isWaiting(): boolean {
    return this.queue.length > 0;
  }

  missed(): void {
    this.#seat = undefined;
    // What others said may be long gone; if not, it is in the storage.
    this.queue = this.queue.filter(({ settle }) => settle !== undefined);
    if (this.over === undefined) void this.load();
  }

  heard(news: QueueNews): void {
    switch (news.kind) {
      case "added": {
        const receipt = this.#receipts.get(news.message.id);
        if (receipt === undefined) this.#merge([news.message]);
        else this.#tellReceipts([receipt]);
        break;
      }
      case "answered":
        this.#settle(news.published);
        break;
      case "refused":
        this.#keepNot(this.discard(news.id, new ClientError(news.code, news.message)));
        break;
      case "joined":
        this.#tellReceipts();
        return;
      case "sender":
        this.#tellOwn();
        return;
      case "ask":
      case "here":
        return;
    }
    this.changed();
  }

  override opened(): void {
    super.opened();
    this.#seat?.stand();
  }

  override lost(): void {
    super.lost();
    if (this.#seat === undefined) return;
    this.turn(false);
    this.#seat.rest();
  }

  override answered(published: readonly Published[]): void {
    this.#settle(published);
    this.keeper.remove(published.map(({ id }) => id));
    this.#seat?.tell({ kind: "answered", published });
    this.changed();
  }

  override finish(error: ClientError): void {
    super.finish(error);
    this.#seat?.leave();
  }

  /**
   * Says whose it is, where no name does: what waits is sent for nobody else. The server gives guests another
   * name in each page, under which it would be another message.
   */
  protected override async box({ box, context, room }: SenderParts): Promise<string> {
    if (this.#isNamed) return box;
    const token = await context.tokens().catch(async () => {
      // Once it stands there was one.
      await room.join();
      return await context.tokens();
    });
    const { sub, sluice } = (claimsOf(token ?? "") ?? {}) as Partial<MemberClaims>;
    const member = sluice?.member ?? sub;
    if (member === undefined)
      throw new ClientError("no_member", "A guest is nobody in particular.");
    return box + member;
  }

  protected override async load(): Promise<void> {
    const box = await this.keeper.box();
    const seat = box === undefined ? undefined : this.#join(box, this);
    const messages = await this.keeper.load();
    if (this.over !== undefined) {
      seat?.leave();
      return;
    }
    this.#seat = seat;
    const own = this.#isLoaded ? [] : this.queue.filter(({ settle }) => settle !== undefined);
    this.#isLoaded = true;
    for (const { message } of own) this.remove(message.id);
    this.#merge(messages.filter(({ id }) => own.every(({ message }) => message.id !== id)));
    for (const entry of own) this.#keepLast(entry);
    this.#tellOwn();
    seat?.tell({ kind: "joined" });
    this.isReady = seat === undefined;
    if (this.isOpen) seat?.stand();
    this.changed();
  }

  /** What was given here meanwhile comes after all that was there, though a clock may not tell them apart. */
  #keepLast({ message, settle }: Entry): void {
    const last = this.queue.at(-1)?.message.order ?? 0;
    if (message.order <= last) this.keep(message, settle);
    else this.put(message, settle);
  }

  protected override keep(...kept: Parameters<Sender["keep"]>): OutboxMessage {
    const message = super.keep(...kept);
    this.#seat?.tell({ kind: "added", message });
    return message;
  }

  protected override drop(entry: Entry, error: ClientError): void {
    super.drop(entry, error);
    const { id } = entry.message;
    this.#seat?.tell({ kind: "refused", id, code: error.code, message: error.message });
  }

  /** What its former holder left is in the storage. */
  async #takeTurn(): Promise<void> {
    const messages = await this.keeper.load();
    if (!this.#isMyTurn) return;
    this.isReady = true;
    this.#merge(messages);
    this.#tellReceipts();
    this.sendAgain();
    this.changed();
  }

  #settle(published: readonly Published[]): void {
    for (const receipt of published) {
      const { id, seq } = receipt;
      const settled = this.remove(id);
      for (const { settle } of settled) settle?.resolve({ id, seq });
      this.#keepNot(settled);
      this.#receipts.add(receipt);
    }
  }

  /** Whoever keeps a message also sees to it that it goes: adding it may take longer than sending it. */
  #keepNot(gone: readonly Entry[]): void {
    const own = gone.filter(({ settle }) => settle !== undefined);
    this.keeper.remove(own.map(({ message }) => message.id));
  }

  /** Adds messages of other tabs and former pages, each where its time puts it. */
  #merge(messages: readonly OutboxMessage[]): void {
    for (const message of messages) {
      const { id } = message;
      if (this.#receipts.get(id) !== undefined) this.keeper.remove([id]);
      else if (this.queue.every((entry) => entry.message.id !== id)) this.put(message);
    }
    this.queue = this.queue.toSorted((a, b) => a.message.order - b.message.order);
  }

  /** For whoever has read of them before they were removed. */
  #tellReceipts(published = this.#receipts.all): void {
    if (this.#isMyTurn && published.length > 0) this.#seat?.tell({ kind: "answered", published });
  }

  /** For whoever has not heard of it. */
  #tellOwn(): void {
    for (const { message, settle } of this.queue) {
      if (settle !== undefined) this.#seat?.tell({ kind: "added", message });
    }
  }
}
