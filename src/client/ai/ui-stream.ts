/**
 * Owns one answer as a stream of the AI SDK's parts: asked for once, read on wherever the connection
 * broke. The server replays an answer from its start; what was told before is passed over. Refuses to
 * know what parts mean.
 */
import type { UIMessageChunk } from "ai";
import { type Connection, connectionOf } from "../connection/connection.ts";
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import { eventStreams, type StreamRequest } from "../http/event-stream.ts";
import type { TopicEvent, TopicTaken } from "../topic/transport.ts";

/** Milliseconds without a connection after which the answer is given up. */
const PATIENCE_MS = 120_000;

/** The end after which nothing is said. */
const DONE = "[DONE]";

/** Names an answer, in the server's answers. */
const GENERATION_HEADER = "sluice-generation";

/** A refusal that a new token mends. */
const UNAUTHORIZED = "unauthorized";

/** How an answer is asked for at first. */
export interface Asked {
  readonly chat: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Left out for an answer that is being written already. */
  readonly body?: unknown;
  readonly signal: AbortSignal | undefined;
  /** Told the answer's name. */
  readonly named: (generation: string) => void;
}

export class UiStream {
  readonly #asked: Asked;
  readonly #context: Context;
  readonly #connection: Connection<TopicTaken>;
  readonly #opened = Promise.withResolvers<ReadableStream<UIMessageChunk> | null>();
  #controller: ReadableStreamDefaultController<UIMessageChunk> | undefined;
  #generation: string | undefined;
  /** Events that were told, and events that this connection has brought. */
  #told = 0;
  #brought = 0;
  #untaken = 0;
  #isOver = false;
  #giveUp: (() => void) | undefined;

  constructor(context: Context, asked: Asked) {
    this.#context = context;
    this.#asked = asked;
    this.#connection = connectionOf<undefined, TopicEvent, TopicTaken>(
      context,
      eventStreams(context, () => this.#request()),
      {
        resume: () => undefined,
        event: (event) => {
          this.#take(event);
        },
        opened: () => {
          this.#giveUp?.();
          this.#giveUp = undefined;
          this.#begin();
        },
        closed: (because, message) => {
          this.#close(because, message);
        },
      },
    );
  }

  /** Resolves when the server answers; null when there is nothing to read. Rejects when it refuses. */
  async start(): Promise<ReadableStream<UIMessageChunk> | null> {
    const { signal } = this.#asked;
    const abort = (): void => {
      this.#connection.stop("closed", "The application called it off.");
    };
    if (signal?.aborted === true) throw abortError();
    signal?.addEventListener("abort", abort, { once: true });
    this.#connection.start();
    return await this.#opened.promise;
  }

  #request(): StreamRequest {
    this.#brought = 0;
    this.#giveUp ??= this.#context.clock.after(PATIENCE_MS, () => {
      this.#connection.stop("network", "The server could not be reached.");
    });
    const { chat, headers, body } = this.#asked;
    const generation = this.#generation;
    const path = `/api/chat/${encodeURIComponent(chat)}/stream`;
    const named = generation === undefined ? "" : `?generation=${encodeURIComponent(generation)}`;
    const isAsking = body !== undefined && generation === undefined;
    return {
      ...(isAsking ? { path: "/api/chat", body } : { path: `${path}${named}` }),
      headers,
      isBehind: false,
      // Who asks shall hear of a refusal; who reads on has to wait.
      isFinal: (code) => this.#generation === undefined && code !== UNAUTHORIZED,
      answered: (response) => {
        this.#name(response.headers.get(GENERATION_HEADER));
      },
    };
  }

  #name(generation: string | null): void {
    if (generation === null) return;
    if (this.#generation !== undefined && this.#generation !== generation) {
      throw new ClientError("bad_answer", "The server answers with another answer.");
    }
    this.#generation = generation;
    this.#asked.named(generation);
  }

  #begin(): void {
    if (this.#controller !== undefined) return;
    const stream = new ReadableStream<UIMessageChunk>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => {
        this.#connection.send({ kind: "taken", count: this.#untaken });
        this.#untaken = 0;
      },
      cancel: () => {
        this.#isOver = true;
        this.#connection.stop("closed", "The application stopped reading.");
      },
    });
    this.#opened.resolve(stream);
  }

  #take({ data }: TopicEvent): void {
    if (data === undefined) {
      this.#connection.send({ kind: "taken", count: 1 });
      return;
    }
    this.#brought += 1;
    if (this.#brought <= this.#told) {
      this.#connection.send({ kind: "taken", count: 1 });
      return;
    }
    this.#told += 1;
    if (data === DONE) {
      this.#connection.stop("ended", "The answer has ended.");
      return;
    }
    this.#untaken += 1;
    this.#controller?.enqueue(parse(data));
  }

  #close(because: string, message: string): void {
    this.#giveUp?.();
    if (this.#isOver) return;
    this.#isOver = true;
    const error = because === "closed" ? abortError() : new ClientError(because, message);
    if (this.#controller === undefined) {
      if (because === "ended") this.#opened.resolve(null);
      else this.#opened.reject(error);
    } else if (because === "ended") {
      this.#controller.close();
    } else {
      this.#controller.error(error);
    }
  }
}

/** @throws ClientError `bad_answer`. */
function parse(data: string): UIMessageChunk {
  try {
    // Which parts there are is between the server and the AI SDK, which looks at each.
    return JSON.parse(data) as UIMessageChunk;
  } catch (cause) {
    throw new ClientError("bad_answer", "An event of the answer is no JSON.", { cause });
  }
}

function abortError(): DOMException {
  return new DOMException("The reading of the answer was called off.", "AbortError");
}
