/**
 * Owns an answer as an application reads it: asked for once, read on wherever the connection broke,
 * ended once. Refuses to know what carries its events.
 */
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import { subscribe } from "../flow/consume.ts";
import { Reading } from "../flow/reading.ts";
import { call } from "../http/request.ts";
import type { Unsubscribe } from "../state.ts";
import type { TopicEvent } from "../topic/transport.ts";
import { collect } from "./collect.ts";
import { askHowItEnded, pathOf } from "./record.ts";
import { endOf, readChunk } from "./read-chunk.ts";
import { type ChatResume, type ChatTransport, fetchAnswer, type Question } from "./transport.ts";
import type { Answer, ChatDelta, ChatEnd, WholeAnswer } from "./types.ts";

/** Where an answer begins for its reader. */
export interface AnswerStart {
  /** Undefined for one that was asked for before. */
  readonly question?: Question;
  readonly id?: string | undefined;
  readonly after?: string | undefined;
  /** What carries it, where it is not asked for here. */
  readonly transport?: ChatTransport;
}

export class AnswerReading extends Reading<ChatDelta, ChatResume> implements Answer {
  id: string | undefined;
  readonly end: Promise<ChatEnd>;
  /** Resolves when the answer has a name, or never will. */
  readonly #named: Promise<void>;
  #name: () => void = () => {};
  #tellEnd: (end: ChatEnd | Promise<ChatEnd>) => void = () => {};
  #usage: ChatEnd["usage"];
  #finishReason: string | undefined;
  #isEnding = false;
  /** Resolve when those who are called with what comes have had it all: the end is told after it. */
  readonly #taking: Promise<void>[] = [];

  constructor(context: Context, { question, id, after, transport }: AnswerStart) {
    const asking = fetchAnswer(context, question, (name) => {
      this.id = name;
      this.#name();
    });
    super(context, transport ?? asking, after);
    this.id = id;
    this.end = new Promise((resolve) => {
      this.#tellEnd = resolve;
    });
    this.#named = new Promise((resolve) => {
      this.#name = resolve;
    });
    if (id !== undefined) this.#name();
    this.connection.start();
  }

  override subscribe(take: (delta: ChatDelta) => void | Promise<void>): Unsubscribe {
    let over: () => void = () => {};
    this.#taking.push(
      new Promise((resolve) => {
        over = resolve;
      }),
    );
    return subscribe(this.inbox, take, over);
  }

  async whole(): Promise<WholeAnswer> {
    return await collect(this, this.end);
  }

  async stop(): Promise<void> {
    await this.#named;
    if (this.id === undefined || this.#isEnding) return;
    await call(this.context, { path: `${pathOf(this.id)}/cancel`, method: "POST" });
  }

  resume(): ChatResume {
    return { id: this.id, after: this.rewind() };
  }

  event({ id, data }: TopicEvent): void {
    const { deltas, finishReason, usage, end } = readChunk(data ?? "{}");
    this.#finishReason = finishReason ?? this.#finishReason;
    this.#usage = usage ?? this.#usage;
    for (const [index, delta] of deltas.entries()) {
      this.inbox.push(delta, index === deltas.length - 1 ? id : undefined);
    }
    if (deltas.length === 0) this.taken();
    // Without an id it is no end of the answer but of this reading, which goes on elsewhere.
    if (end === undefined || id === undefined) return;
    this.#end(end);
    this.connection.stop("ended", `The answer is ${end.state}.`);
  }

  override closed(because: string, message: string): void {
    this.#name();
    if (this.#isEnding) return;
    // Read to its end before: how it ended, only its record says.
    if (because === "ended") void this.#lookUp();
    else if (because === "closed") {
      this.inbox.close();
      this.#end({ state: "closed", error: undefined });
    } else this.#end(endOf({ code: because, message }));
  }

  #end(end: Pick<ChatEnd, "state" | "error">): void {
    this.#isEnding = true;
    this.finish(end.error && new ClientError(end.error.code, end.error.message));
    this.#tellEnd(this.#complete(end));
  }

  async #complete(end: Pick<ChatEnd, "state" | "error">): Promise<ChatEnd> {
    const told: ChatEnd = { ...end, usage: this.#usage, finishReason: this.#finishReason };
    const isKnown = this.#usage !== undefined || this.id === undefined || end.state === "closed";
    // What the provider did not say of its costs, the server has estimated.
    const record = isKnown ? undefined : this.#record().catch(() => told);
    await Promise.all(this.#taking);
    return { ...told, ...(await record), ...end };
  }

  async #lookUp(): Promise<void> {
    try {
      const { usage, finishReason, ...end } = await this.#record();
      this.#usage = usage;
      this.#finishReason = finishReason;
      this.#end(end);
    } catch (thrown) {
      const { code, message } = thrown instanceof ClientError ? thrown : UNKNOWN;
      this.#end({ state: "failed", error: { code, message } });
    }
  }

  async #record(): Promise<ChatEnd> {
    return await askHowItEnded(this.context, this.id ?? "");
  }
}

const UNKNOWN = { code: "network", message: "How the answer ended is not known." };
