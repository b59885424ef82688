/**
 * Owns a room as an application has it: frames of a connection become items in an inbox, each once and
 * in order; what it sends goes out through an outbox. Refuses to know what carries the frames.
 */
import { given } from "../../protocol/given.ts";
import { MAX_PRESENCE_BYTES } from "../../protocol/limits.ts";
import { isMessageId } from "../../protocol/names.ts";
import { pack, PackError } from "../../protocol/pack.ts";
import type { Raw } from "../../protocol/frames.ts";
import { type Connection, connectionOf, type ConnectionOwner } from "../connection/connection.ts";
import { isOpen } from "../connection/machine.ts";
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import { subscribe } from "../flow/consume.ts";
import { call } from "../http/request.ts";
import { newId } from "../new-id.ts";
import type { SenderParts } from "../outbox/entry.ts";
import { Sender } from "../outbox/sender.ts";
import type { ConnectionState, Observable, Unsubscribe } from "../state.ts";
import { until } from "../store.ts";
import { PresenceStore } from "./presence.ts";
import { RoomLog } from "./log.ts";
import { Renewal } from "./renewal.ts";
import type { RoomCommand, RoomEvent, RoomResume, RoomTransport } from "./transport.ts";
import type {
  HistoryPage,
  Room,
  RoomItem,
  RoomOptions,
  RoomReceipt,
  SendOptions,
} from "./types.ts";

export class RoomSession implements Room, ConnectionOwner<RoomResume, RoomEvent> {
  readonly name: string;
  readonly #context: Context;
  readonly #options: RoomOptions;
  readonly #connection: Connection<RoomCommand>;
  readonly #log: RoomLog;
  readonly outbox: Sender;
  readonly presence = new PresenceStore();
  readonly #renewal: Renewal;
  member: string | undefined;
  #shown: Raw | undefined;
  /** What the last hello said of it. */
  #greeted: Raw | undefined;

  constructor(context: Context, transport: RoomTransport, name: string, options: RoomOptions) {
    this.name = name;
    this.#context = context;
    this.#options = options;
    this.member = options.member;
    if (options.presence !== undefined) this.#shown = encodeState(options.presence);
    const connection = connectionOf(context, transport, this);
    this.#connection = connection;
    const { outbox = {}, member = "" } = options;
    const box = `${context.url} ${name} ${member}`;
    const parts: SenderParts = { context, box, room: this, line: connection };
    this.outbox = outbox.storage?.makeSender?.(outbox, parts) ?? new Sender(outbox, parts);
    this.#log = new RoomLog(options, connection, () => {
      this.#start();
    });
    this.#renewal = new Renewal(context, connection);
  }

  get state(): Observable<ConnectionState> {
    return this.#connection.state;
  }

  get position(): string | undefined {
    return this.#log.position;
  }

  get mail(): number {
    return this.#log.mail;
  }

  [Symbol.asyncIterator](): AsyncIterator<RoomItem, undefined> {
    return this.#log.inbox.read();
  }

  subscribe(take: (item: RoomItem) => void | Promise<void>): Unsubscribe {
    return subscribe(this.#log.inbox, take);
  }

  async join(): Promise<void> {
    this.#start();
    const state = await until(this.state, (now) => now.kind === "closed" || isOpen(now));
    if (state.kind === "closed") throw new ClientError(state.because, state.message);
  }

  publish(event: string, payload: unknown, options?: SendOptions): Promise<RoomReceipt> {
    return this.#send(undefined, event, payload, options);
  }

  direct(to: string, event: string, payload: unknown, options?: SendOptions): Promise<RoomReceipt> {
    return this.#send(to, event, payload, options);
  }

  show(state: unknown): void {
    this.#shown = encodeState(state);
    this.#connection.send({ kind: "presence", state: this.#shown });
  }

  async history({
    after,
    limit,
  }: { readonly after?: string; readonly limit?: number } = {}): Promise<HistoryPage> {
    const parameters = String(new URLSearchParams(given({ after, limit: limit?.toString() })));
    const path = `/v1/rooms/${encodeURIComponent(this.name)}/messages?${parameters}`;
    return (await call(this.#context, { path })) as HistoryPage;
  }

  leave(): void {
    this.#connection.send({ kind: "leave" });
    this.#connection.stop("left", "The member left.");
  }

  close(): void {
    this.#log.acknowledge();
    this.#connection.stop("closed", "The application closed it.");
  }

  #start(): void {
    void this.outbox.restore();
    this.#connection.start();
  }

  #send(
    to: string | undefined,
    event: string,
    payload: unknown,
    { id = newId() }: SendOptions = {},
  ): Promise<RoomReceipt> {
    const put = async (): Promise<RoomReceipt> => {
      // The connection would end for it (P30), and with it all that waits behind it.
      if (!isMessageId(id)) throw new ClientError("bad_name", "The id is none.");
      const draft = { id, to, event, payload: encode(payload) };
      this.#start();
      return await this.outbox.send(draft);
    };
    const receipt = put();
    // Whoever does not look at the promise is not disturbed by its rejection.
    receipt.catch(() => {});
    return receipt;
  }

  resume(): RoomResume {
    this.#greeted = this.#shown;
    return {
      kind: "hello",
      member: this.member,
      ...this.#log.rewind(),
      state: this.#shown,
      credit: this.#options.credit,
    };
  }

  opened(): void {
    const state = this.#shown;
    // Shown between the hello and the welcome, when nothing could be sent.
    if (state !== undefined && state !== this.#greeted) {
      this.#connection.send({ kind: "presence", state });
    }
    this.outbox.opened();
  }

  lost(): void {
    this.#renewal.end();
    this.outbox.lost();
  }

  closed(because: string, message: string): void {
    const error = new ClientError(because, message);
    this.outbox.finish(error);
    this.#log.finish(because === "closed" || because === "left" ? undefined : error);
  }

  event({ frame, bytes }: RoomEvent): void {
    switch (frame.kind) {
      case "welcome":
        // A name that the server made up is this member's from now on.
        this.member = frame.member;
        this.#log.begin(frame);
        this.#renewal.begin(frame.expiresIn);
        this.presence.begin(frame.presence);
        return;
      case "deliver":
        this.#log.deliver(frame, bytes);
        return;
      case "mail":
        this.#log.receiveMail(frame);
        break;
      case "gap":
        this.#log.skip(frame);
        break;
      case "published":
        this.outbox.answered(frame.published);
        break;
      case "error":
        if (frame.id !== undefined) this.outbox.refused(frame);
        break;
      case "presenceDiff":
        this.presence.apply(frame);
        break;
      case "renewed":
        this.#renewal.begin(frame.expiresIn);
        break;
      // Rooms neither end nor leave anything out.
      case "end":
      case "latest":
        break;
    }
    this.#log.heard(bytes);
  }
}

function encodeState(state: unknown): Raw {
  const raw = encode(state);
  if (raw.length <= MAX_PRESENCE_BYTES) return raw;
  throw new ClientError("state_too_large", "The state is too large.");
}

function encode(value: unknown): Raw {
  try {
    return pack(value);
  } catch (error) {
    throw error instanceof PackError ? new ClientError("bad_payload", error.message) : error;
  }
}
