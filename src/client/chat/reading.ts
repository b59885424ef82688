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
import type { ChatResume, ChatTransport } from "./transport.ts";
import type { Answer, ChatDelta, ChatEnd, WholeAnswer } from "./types.ts";

export class AnswerReading extends Reading<ChatDelta, ChatResume> implements Answer {
  id: string | undefined;
  /** Resolves when the answer has a name, or never will. */
  readonly #named = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<ChatEnd>();
  #usage: ChatEnd["usage"];
  #finishReason: string | undefined;
  #isEnding = false;
  /** Resolve when those who are called with what comes have had it all: the end is told after it. */
  readonly #taking: Promise<void>[] = [];

  /**
   * @param carry makes what carries it, given what is to be told its id.
   * @param id of one that was asked for before.
   */
  constructor(
    context: Context,
    carry: (named: (id: string) => void) => ChatTransport,
    id?: string,
    after?: string,
  ) {
    const named = (name: string): void => {
      this.id = name;
      this.#named.resolve();
    };
    super(context, carry(named), after);
    if (id !== undefined) named(id);
    this.connection.start();
  }

  get end(): Promise<ChatEnd> {
    return this.#ended.promise;
  }

  override subscribe(take: (delta: ChatDelta) => void | Promise<void>): Unsubscribe {
    return subscribe(this.inbox, take, (taking) => {
      this.#taking.push(taking);
    });
  }

  async whole(): Promise<WholeAnswer> {
    return await collect(this, this.end);
  }

  async stop(): Promise<void> {
    await this.#named.promise;
    if (this.id === undefined || this.#isEnding) return;
    await call(this.context, { path: `${pathOf(this.id)}/cancel`, body: {} });
  }

  protected resumeAfter(after: string | undefined): ChatResume {
    return { id: this.id, after };
  }

  event(event: TopicEvent): void {
    const { deltas, finishReason, usage, end } = readChunk(event.data);
    this.arrive(event, deltas);
    this.#finishReason = finishReason ?? this.#finishReason;
    this.#usage = usage ?? this.#usage;
    // Without an id it is no end of the answer but of this reading, which goes on elsewhere.
    if (end === undefined || event.id === undefined) return;
    void this.#end(end);
    this.connection.stop("ended", `The answer is ${end.state}.`);
  }

  override closed(because: string, message: string): void {
    this.#named.resolve();
    if (this.#isEnding) return;
    if (because === "closed") this.inbox.close();
    // Read to its end before: how it ended, only its record says.
    void this.#end(because === "ended" ? undefined : endOf({ code: because, message }));
  }

  /** @param known undefined where only the answer's record says it. */
  async #end(known?: Pick<ChatEnd, "state" | "error">): Promise<void> {
    this.#isEnding = true;
    if (known !== undefined) this.#finish(known);
    const told = { usage: this.#usage, finishReason: this.#finishReason };
    const isTold = told.usage !== undefined || this.id === undefined || known?.state === "closed";
    // What the provider did not say of its costs, the server has estimated.
    const end =
      known !== undefined && isTold
        ? { ...told, ...known }
        : { ...told, ...(await askHowItEnded(this.context, this.id).catch(endOf)), ...known };
    this.#finish(end);
    await Promise.all(this.#taking);
    this.#ended.resolve(end);
  }

  #finish({ error }: Pick<ChatEnd, "error">): void {
    this.inbox.finish(error && new ClientError(error.code, error.message));
  }
}
