/**
 * Owns an answer as an application reads it: asked for once, read on wherever the connection broke,
 * ended once. Refuses to know what carries its events.
 */
import { Connection } from "../connection/connection.ts";
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import { iterate, subscribe, subscribePaced } from "../flow/consume.ts";
import { Inbox } from "../flow/inbox.ts";
import { call } from "../http/request.ts";
import type { Pace } from "../items.ts";
import type { ConnectionState, Observable, Unsubscribe } from "../state.ts";
import type { TopicEvent, TopicTaken } from "../topic/transport.ts";
import { collect } from "./collect.ts";
import { type AnswerFacts, askHowItEnded } from "./facts.ts";
import { readChunk } from "./read-chunk.ts";
import { type ChatResume, fetchAnswer, type Question } from "./transport.ts";
import type { Answer, ChatDelta, ChatEnd, WholeAnswer } from "./types.ts";

/** Where an answer begins for its reader. */
export interface AnswerStart {
  /** Undefined for one that was asked for before. */
  readonly question?: Question;
  readonly id?: string | undefined;
  readonly after?: string | undefined;
}

export class AnswerReading implements Answer {
  readonly end: Promise<ChatEnd>;
  readonly #context: Context;
  readonly #connection: Connection<ChatResume, TopicEvent, TopicTaken>;
  readonly #inbox: Inbox<ChatDelta, string>;
  #resolveEnd: (end: ChatEnd) => void = () => {};
  #id: string | undefined;
  /** Resolves when the answer has a name, or never will. */
  readonly #named: Promise<void>;
  #name: () => void = () => {};
  #position: string | undefined;
  #finishReason: string | undefined;
  #usage: AnswerFacts["usage"];
  #isEnding = false;

  constructor(context: Context, { question, id, after }: AnswerStart) {
    this.#context = context;
    this.#id = id;
    this.#position = after;
    this.end = new Promise((resolve) => {
      this.#resolveEnd = resolve;
    });
    this.#named = new Promise((resolve) => {
      this.#name = resolve;
    });
    if (id !== undefined) this.#name();
    this.#inbox = new Inbox<ChatDelta, string>({
      consumed: (position) => {
        // The pieces of one event are taken with its last.
        if (position === undefined) return;
        this.#position = position;
        this.#connection.send({ kind: "taken", count: 1 });
      },
      wanted: () => {
        this.#connection.start();
      },
      unwanted: () => {
        this.#connection.rest();
      },
    });
    this.#connection = new Connection({
      context,
      transport: fetchAnswer(context, question, (name) => {
        this.#id = name;
        this.#name();
      }),
      resume: () => ({ id: this.#id, after: this.#inbox.rewind() ?? this.#position }),
      event: (event) => {
        this.#take(event);
      },
      closed: (because, message) => {
        this.#close(because, message);
      },
    });
    this.#connection.start();
  }

  get id(): string | undefined {
    return this.#id;
  }

  get state(): Observable<ConnectionState> {
    return this.#connection.state;
  }

  get position(): string | undefined {
    return this.#position;
  }

  [Symbol.asyncIterator](): AsyncIterator<ChatDelta, undefined> {
    return iterate(this.#inbox);
  }

  subscribe(take: (item: ChatDelta) => void | Promise<void>): Unsubscribe {
    return subscribe(this.#inbox, take);
  }

  subscribePaced(take: (items: readonly ChatDelta[]) => void, pace?: Pace): Unsubscribe {
    return subscribePaced(this.#inbox, take, pace);
  }

  async whole(): Promise<WholeAnswer> {
    return await collect(this, this.end);
  }

  async stop(): Promise<void> {
    await this.#named;
    if (this.#id === undefined || this.#isEnding) return;
    const path = `/v1/chat/completions/${encodeURIComponent(this.#id)}/cancel`;
    await call(this.#context, { path, method: "POST" });
  }

  close(): void {
    this.#connection.stop("closed", "The application closed it.");
  }

  #take({ id, data }: TopicEvent): void {
    if (data === undefined) {
      this.#skip();
      return;
    }
    const { deltas, finishReason, usage, end } = readChunk(data);
    this.#finishReason = finishReason ?? this.#finishReason;
    this.#usage = usage ?? this.#usage;
    for (const [index, delta] of deltas.entries()) {
      this.#inbox.push(delta, index === deltas.length - 1 ? id : undefined);
    }
    if (deltas.length === 0) this.#skip();
    // Without an id it is no end of the answer but of this reading: the response ends, and is read on.
    if (end === undefined || id === undefined) return;
    this.#isEnding = true;
    const error = end.error && new ClientError(end.error.code, end.error.message);
    this.#inbox.finish(error);
    void this.#tellEnd(end);
    this.#connection.stop("ended", `The answer is ${end.state}.`);
  }

  /** Nobody will take an event that says nothing to the application. */
  #skip(): void {
    this.#connection.send({ kind: "taken", count: 1 });
  }

  #close(because: string, message: string): void {
    this.#name();
    if (this.#isEnding) return;
    this.#isEnding = true;
    if (because === "closed") {
      this.#inbox.close();
      void this.#tellEnd({ state: "closed", error: undefined });
    } else if (because === "ended") {
      // It was read to its end before; how it ended, only its record says.
      void this.#lookUpEnd();
    } else {
      this.#inbox.finish(new ClientError(because, message));
      void this.#tellEnd({ state: "failed", error: { code: because, message } });
    }
  }

  async #lookUpEnd(): Promise<void> {
    try {
      const { state, error, finishReason, usage } = await askHowItEnded(this.#context, this.#id);
      this.#inbox.finish(error && new ClientError(error.code, error.message));
      this.#resolveEnd({ state, error, finishReason, usage });
    } catch (thrown) {
      const { code, message } =
        thrown instanceof ClientError ? thrown : new ClientError("network", "It is not known.");
      this.#inbox.finish(new ClientError(code, message));
      this.#resolveEnd({ ...UNKNOWN, state: "failed", error: { code, message } });
    }
  }

  async #tellEnd({ state, error }: Pick<ChatEnd, "state" | "error">): Promise<void> {
    let facts: AnswerFacts = { usage: this.#usage, finishReason: this.#finishReason };
    if (facts.usage === undefined && this.#id !== undefined && state !== "closed") {
      try {
        // What the provider did not say, the server has estimated.
        facts = await askHowItEnded(this.#context, this.#id);
      } catch {
        // Then it is not known, which the end says.
      }
    }
    this.#resolveEnd({ state, error, usage: facts.usage, finishReason: facts.finishReason });
  }
}

const UNKNOWN = { usage: undefined, finishReason: undefined } satisfies AnswerFacts;
