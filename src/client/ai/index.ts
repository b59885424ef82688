/**
 * Owns the door to the AI SDK: what `sluice/ai` exports. A transport for `useChat` whose answers go on
 * after the network broke, in the same message. Refuses to know how chats are shown.
 */
import type { ChatRequestOptions, ChatTransport, UIMessage, UIMessageChunk } from "ai";
import { contextOf } from "../context.ts";
import { ClientError } from "../errors.ts";
import { call } from "../http/request.ts";
import { newId } from "../new-id.ts";
import type { ClientOptions } from "../options.ts";
import { UiStream } from "./ui-stream.ts";

/** What a transport is made with. */
export interface SluiceChatOptions extends ClientOptions {
  /**
   * What becomes of an answer that nobody reads any more: written on, stopped, or stopped after so many
   * seconds. Left out, the server decides.
   */
  readonly whenAbandoned?: "continue" | "cancel" | `grace=${number}`;
}

/**
 * Talks to `/api/chat` for `useChat`. An abort, which is also what a component does that goes away,
 * only ends the reading; {@link SluiceChatTransport.stop} ends the answer.
 */
export class SluiceChatTransport<
  Message extends UIMessage = UIMessage,
> implements ChatTransport<Message> {
  /** For the AI SDK: reconnecting begins the message anew. */
  readonly resumeStreamIsReplay = true;
  readonly #options: SluiceChatOptions;
  /** The answers of this page, by chat. */
  readonly #generations = new Map<string, string>();

  /** @param options those of a client may be the same object, which shares its token. */
  constructor(options: SluiceChatOptions) {
    this.#options = options;
  }

  /** Asks for an answer, once, however often the connection breaks. */
  async sendMessages({
    trigger,
    chatId,
    messageId,
    messages,
    abortSignal,
    headers,
    body,
  }: Parameters<ChatTransport<Message>["sendMessages"]>[0]): Promise<
    ReadableStream<UIMessageChunk>
  > {
    const { whenAbandoned } = this.#options;
    const stream = await this.#read({
      chat: chatId,
      headers: {
        ...plain(headers),
        "idempotency-key": newId(),
        ...(whenAbandoned === undefined ? {} : { "sluice-when-abandoned": whenAbandoned }),
      },
      body: { ...body, id: chatId, messages, trigger, messageId },
      signal: abortSignal,
    });
    if (stream !== null) return stream;
    throw new ClientError("bad_answer", "The server has answered with nothing.");
  }

  /** Reads the answer that is being written for a chat, from its start; null when there is none. */
  async reconnectToStream({
    chatId,
    abortSignal,
    headers,
  }: Parameters<
    ChatTransport<Message>["reconnectToStream"]
  >[0]): Promise<ReadableStream<UIMessageChunk> | null> {
    return await this.#read({ chat: chatId, headers: plain(headers), signal: abortSignal });
  }

  /** Ends the answer that is being written for a chat, for everyone who reads it. */
  async stop(chatId: string): Promise<void> {
    const activeStreamId = this.#generations.get(chatId);
    await call(contextOf(this.#options), {
      path: `/api/chat/${encodeURIComponent(chatId)}/stop`,
      // An answer that began elsewhere has no name here: the newest is meant.
      body: activeStreamId === undefined ? {} : { activeStreamId },
    });
  }

  async #read(asked: {
    readonly chat: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly signal: AbortSignal | undefined;
  }): Promise<ReadableStream<UIMessageChunk> | null> {
    const { chat } = asked;
    this.#generations.delete(chat);
    const stream = new UiStream(contextOf(this.#options), {
      ...asked,
      named: (generation) => {
        this.#generations.set(chat, generation);
      },
    });
    return await stream.start();
  }
}

function plain(headers: ChatRequestOptions["headers"]): Record<string, string> {
  return Object.fromEntries(new Headers(headers));
}
