/**
 * Owns an event stream over `fetch` as a link: opened, read as fast as its events are taken, given up
 * when it falls silent. Refuses to know what events mean.
 */
import { createParser } from "eventsource-parser";
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import type { TopicEvent, TopicTaken } from "../topic/transport.ts";
import type { Attempt, Failure, Link, LinkObserver } from "../transport.ts";
import { failureOf, failureOfThrown, SILENT, TOKEN_EXPIRED, UNREACHABLE } from "./failure.ts";
import { ask, type Asked } from "./request.ts";

/** Milliseconds of silence after which a stream counts as dead: servers send a comment every 15 s. */
const SILENCE_MS = 45_000;

/** Milliseconds that a server may take to answer at all: what is asked may be a model that thinks. */
const ANSWER_MS = 150_000;

/** Milliseconds in which a probed stream has to say something: a little more than between two comments. */
const PROBE_MS = 17_000;

/** Milliseconds without events after which what was missed counts as read: the server does not say it. */
const QUIET_MS = 50;

/** Characters of one event: twice what the server lets anyone store. */
const MAX_EVENT_CHARS = 4 * 1024 * 1024;

/** How a stream is asked for. */
export interface StreamRequest extends Asked {
  /** Whether events that were missed come first. */
  readonly isBehind: boolean;
  /** Events that may be told and not yet taken. */
  readonly window: number;
  /** Whether this error is not mended by asking again, whatever its status. */
  readonly isFinal?: (code: string) => boolean;
  /** Sees the answer before its events. */
  readonly answered?: (response: Response) => void;
}

/**
 * Opens an event stream. Its end is a failure `ended` when the server says so by 204, of the token when
 * the server says that, or else of the network.
 */
export function openEventStream(
  context: Context,
  attempt: Attempt<unknown>,
  request: StreamRequest,
  observer: LinkObserver<TopicEvent>,
): Link<TopicTaken> {
  const stream = new EventStream(context, request, observer);
  void stream.run(attempt);
  return stream;
}

class EventStream implements Link<TopicTaken> {
  readonly #context: Context;
  readonly #request: StreamRequest;
  readonly #observer: LinkObserver<TopicEvent>;
  readonly #abort = new AbortController();
  /** Calls off the wait for a sign of life. */
  #stillWatch: (() => void) | undefined;
  /** Calls off the wait for the end of what was missed. */
  #quietWatch: (() => void) | undefined;
  /** Events told and not yet taken. */
  #ahead = 0;
  /** Set while the application holds the stream up. */
  #resume: (() => void) | undefined;

  constructor(context: Context, request: StreamRequest, observer: LinkObserver<TopicEvent>) {
    this.#context = context;
    this.#request = request;
    this.#observer = observer;
  }

  get #isOver(): boolean {
    return this.#abort.signal.aborted;
  }

  send({ count }: TopicTaken): void {
    // What an earlier stream told may be taken only now.
    this.#ahead = Math.max(0, this.#ahead - count);
    if (this.#ahead < this.#request.window) this.#resume?.();
  }

  probe(): void {
    // While the application holds it up, a stream is silent for a reason.
    if (this.#resume === undefined) this.#watch(PROBE_MS);
  }

  close(): void {
    this.#abort.abort();
    this.#stillWatch?.();
    this.#quietWatch?.();
    this.#resume?.();
  }

  /** Never rejects: whatever goes wrong is told. */
  async run(attempt: Attempt<unknown>): Promise<void> {
    this.#fail(await this.#stream(attempt).catch(failureOfThrown));
  }

  /** Tells what there is to tell; why there is no more. */
  async #stream(attempt: Attempt<unknown>): Promise<Failure> {
    const token = await attempt.token();
    if (this.#isOver) return UNREACHABLE;
    this.#watch(ANSWER_MS);
    const { isBehind, isFinal, answered, headers, ...asked } = this.#request;
    const accept = "text/event-stream";
    const response = await ask(
      this.#context,
      token,
      { ...asked, headers: { accept, ...headers } },
      this.#abort.signal,
    );
    if (this.#isOver) return UNREACHABLE;
    answered?.(response);
    if (response.status === 204) {
      return { code: "ended", message: "It has ended.", reconnect: "no" };
    }
    if (!response.ok) {
      const failure = await failureOf(response);
      return isFinal?.(failure.code) === true ? { ...failure, reconnect: "no" } : failure;
    }
    if (response.headers.get("content-type")?.startsWith(accept) !== true) {
      throw new ClientError("bad_answer", "The answer is no event stream.");
    }
    this.#observer.opened(isBehind);
    if (response.body !== null) await this.#read(response.body);
    return UNREACHABLE;
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let last: string | undefined;
    let told: string | undefined;
    let isExpired = false;
    const tell = (event: TopicEvent): void => {
      this.#ahead += 1;
      told = event.id ?? told;
      if (!this.#isOver) this.#observer.event(event);
    };
    const parser = createParser({
      maxBufferSize: MAX_EVENT_CHARS,
      onEvent: ({ id, event, data }) => {
        // Without a place in the stream it is the server's own; quotes in what others said are escaped.
        isExpired ||= id === undefined && data.includes(`"code":"${TOKEN_EXPIRED}"`);
        tell({ id, event, data });
      },
      onId: (id) => {
        last = id;
      },
      onRetry: (ms) => {
        this.#observer.retry(ms);
      },
      onError: ({ type }) => {
        if (type === "max-buffer-size-exceeded")
          throw new ClientError("bad_answer", "The event is too long.");
      },
    });
    const reader = body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      await this.#hold();
      if (this.#isOver) return;
      this.#watch(this.#context.options.silenceMs ?? SILENCE_MS);
      const { done, value } = await reader.read();
      if (done || this.#isOver) return;
      parser.feed(decoder.decode(value, { stream: true }));
      // A block without data tells a position only.
      if (last !== told) tell({ id: last, event: undefined, data: undefined });
      if (isExpired) throw new ClientError(TOKEN_EXPIRED, "The token has expired.");
      this.#watchQuiet();
    }
  }

  /** Waits until events may be told again. */
  async #hold(): Promise<void> {
    if (this.#ahead < this.#request.window || this.#isOver) return;
    this.#stillWatch?.();
    this.#quietWatch?.();
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
    });
    this.#resume = undefined;
    this.#watchQuiet();
  }

  #watch(ms: number): void {
    this.#stillWatch?.();
    this.#stillWatch = this.#context.clock.after(ms, () => {
      this.#fail(SILENT);
    });
  }

  #watchQuiet(): void {
    if (!this.#request.isBehind || this.#isOver) return;
    this.#quietWatch?.();
    this.#quietWatch = this.#context.clock.after(QUIET_MS, () => {
      this.#observer.caughtUp();
    });
  }

  #fail(failure: Failure): void {
    if (this.#isOver) return;
    this.close();
    this.#observer.failed(failure);
  }
}
