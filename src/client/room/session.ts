/**
 * Owns a room as an application has it: frames of a connection become items in an inbox, each once and
 * in order; what it sends goes out through an outbox. Refuses to know what carries the frames.
 */
import { MAX_PRESENCE_BYTES } from "../../protocol/limits.ts";
import { isMessageId } from "../../protocol/names.ts";
import { pack, PackError } from "../../protocol/pack.ts";
import type { Raw } from "../../protocol/frames.ts";
import { Connection, type ConnectionOwner } from "../connection/connection.ts";
import { isOpen } from "../connection/machine.ts";
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import { iterate, subscribe } from "../flow/consume.ts";
import { call } from "../http/request.ts";
import type { SenderParts } from "../outbox/entry.ts";
import { Sender } from "../outbox/sender.ts";
import type { Outbox } from "../outbox/types.ts";
import type { ConnectionState, Observable, Unsubscribe } from "../state.ts";
import { until } from "../store.ts";
import { PresenceStore } from "./presence.ts";
import { RoomLog } from "./log.ts";
import { Renewal } from "./renewal.ts";
import type { RoomCommand, RoomEvent, RoomResume, RoomTransport } from "./transport.ts";
import type {
  HistoryPage,
  Presence,
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
  readonly #connection: Connection<RoomResume, RoomEvent, RoomCommand>;
  readonly #log: RoomLog;
  readonly #sender: Sender;
  readonly #presence = new PresenceStore();
  readonly #renewal: Renewal;
  #member: string | undefined;
  #shown: Raw | undefined;

  constructor(context: Context, transport: RoomTransport, name: string, options: RoomOptions) {
    this.name = name;
    this.#context = context;
    this.#options = options;
    this.#member = options.member;
    if (options.presence !== undefined) this.#shown = encodeState(options.presence);
    const connection = new Connection(context, transport, this);
    this.#connection = connection;
    const { outbox = {}, member } = options;
    const parts: SenderParts = {
      clock: context.clock,
      context,
      box: `${context.url} ${name} ${member ?? ""}`,
      isNamed: member !== undefined,
      line: connection,
      whenOpen: async () => {
        await this.join();
      },
    };
    this.#sender = outbox.storage?.makeSender?.(outbox, parts) ?? new Sender(outbox, parts);
    this.#log = new RoomLog(options, connection, () => {
      this.#start();
    });
    this.#renewal = new Renewal(context, connection);
  }

  get state(): Observable<ConnectionState> {
    return this.#connection.state;
  }

  get member(): string | undefined {
    return this.#member;
  }

  get position(): string | undefined {
    return this.#log.position;
  }

  get mail(): number {
    return this.#log.mail;
  }

  get presence(): Observable<Presence> {
    return this.#presence;
  }

  get outbox(): Outbox {
    return this.#sender;
  }

  [Symbol.asyncIterator](): AsyncIterator<RoomItem, undefined> {
    return iterate(this.#log.inbox);
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

  async history(
    query: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<HistoryPage> {
    const parameters = new URLSearchParams();
    if (query.after !== undefined) parameters.set("after", query.after);
    if (query.limit !== undefined) parameters.set("limit", String(query.limit));
    const path = `/v1/rooms/${encodeURIComponent(this.name)}/messages?${String(parameters)}`;
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
    void this.#sender.restore();
    this.#connection.start();
  }

  #send(
    to: string | undefined,
    event: string,
    payload: unknown,
    { id = crypto.randomUUID() }: SendOptions = {},
  ): Promise<RoomReceipt> {
    const put = async (): Promise<RoomReceipt> => {
      // The connection would end for it (P30), and with it all that waits behind it.
      if (!isMessageId(id)) throw new ClientError("bad_name", "That is no id of a message.");
      const draft = { id, to, event, payload: encode(payload) };
      this.#start();
      return await this.#sender.send(draft);
    };
    const receipt = put();
    // Whoever does not look at the promise is not disturbed by its rejection.
    receipt.catch(() => {});
    return receipt;
  }

  resume(): RoomResume {
    const { resume, mail, history } = this.#log.rewind();
    return {
      kind: "hello",
      member: this.#member,
      resume,
      mail: resume === undefined ? undefined : mail,
      history: resume === undefined ? history : undefined,
      state: this.#shown,
      credit: this.#options.credit,
    };
  }

  opened(): void {
    this.#sender.connected();
  }

  lost(): void {
    this.#renewal.end();
    this.#sender.disconnected();
  }

  closed(because: string, message: string): void {
    const error = new ClientError(because, message);
    this.#sender.finish(error);
    this.#log.finish(because === "closed" || because === "left" ? undefined : error);
  }

  event({ frame, bytes }: RoomEvent): void {
    switch (frame.kind) {
      case "welcome":
        // A name that the server made up is this member's from now on.
        this.#member = frame.member;
        this.#log.begin(frame);
        this.#renewal.begin(frame.expiresIn);
        this.#presence.begin(frame.presence);
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
        this.#sender.answered(frame.published);
        break;
      case "error":
        if (frame.id !== undefined) this.#sender.refused(frame);
        break;
      case "presenceDiff":
        this.#presence.apply(frame);
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
  throw new ClientError("state_too_large", `A state has ${MAX_PRESENCE_BYTES} bytes at most.`);
}

function encode(value: unknown): Raw {
  try {
    return pack(value);
  } catch (error) {
    throw error instanceof PackError ? new ClientError("bad_payload", error.message) : error;
  }
}
