/**
 * Owns an event stream over `fetch` as a link: opened, read as fast as its events are taken, given up
 * when it falls silent. Refuses to know what events mean.
 */
import { createParser } from "eventsource-parser";
import type { Context } from "../context.ts";
import { timerOf } from "../connection/timer.ts";
import { ClientError } from "../errors.ts";
import type { TopicEvent, TopicTaken } from "../topic/transport.ts";
import type { Failure, Link, LinkObserver, Transport } from "../transport.ts";
import {
  EXPIRED,
  failureOf,
  failureOfThrown,
  SILENT,
  TOKEN_EXPIRED,
  UNREACHABLE,
} from "./failure.ts";
import { ask, type Asked } from "./request.ts";

/** Milliseconds of silence after which a stream counts as dead: servers send a comment every 15 s. */
const SILENCE_MS = 45_000;

/** Milliseconds that a server may take to answer at all: what is asked may be a model that thinks. */
const ANSWER_MS = 150_000;

/** Milliseconds in which a probed stream has to say something: a little more than between two comments. */
const PROBE_MS = 17_000;

/** Milliseconds without events after which what was missed counts as read: the server does not say it. */
const QUIET_MS = 50;

/** Events that are read ahead of an application that does not say how many. */
export const WINDOW = 256;

/** Characters of one event: twice what the server lets anyone store. */
const MAX_EVENT_CHARS = 4 * 1024 * 1024;

/** How a stream is asked for. */
export interface StreamRequest extends Asked {
  /** Whether events that were missed come first. */
  readonly isBehind: boolean;
  /** Where it is to go on, as the header says it. */
  readonly after?: string | undefined;
  /** Events that may be told and not yet taken. Default 256. */
  readonly window?: number;
  /** Whether this error is not mended by asking again, whatever its status. */
  readonly isFinal?: (code: string) => boolean;
  /** Sees the answer before its events. */
  readonly answered?: (response: Response) => void;
}

/**
 * Carries by event streams. The end of one is a failure `ended` when the server says so by 204, of the
 * token when the server says that, or else of the network.
 *
 * @param requestOf what is asked to go on there.
 */
export function eventStreams<Resume>(
  context: Context,
  requestOf: (resume: Resume) => StreamRequest,
): Transport<Resume, TopicEvent, TopicTaken> {
  return {
    open: ({ resume, token }, observer) => open(context, requestOf(resume), token, observer),
  };
}

function open(
  context: Context,
  { after, isBehind, window = WINDOW, isFinal, answered, headers, ...asked }: StreamRequest,
  getToken: () => Promise<string | undefined>,
  observer: LinkObserver<TopicEvent>,
): Link<TopicTaken> {
  const { clock, options } = context;
  const over = new AbortController();
  const { signal } = over;
  /** Goes off when there is no sign of life. */
  const setWatch = timerOf(clock);
  /** Goes off when what was missed has come. */
  const setQuiet = timerOf(clock);
  /** Events told and not yet taken. */
  let ahead = 0;
  /** Set while the application holds the stream up. */
  let resume: (() => void) | undefined;

  const close = (): void => {
    over.abort();
    setWatch();
    setQuiet();
    resume?.();
  };

  const fail = (failure: Failure): void => {
    if (signal.aborted) return;
    close();
    observer.failed(failure);
  };

  const watch = (ms: number): void => {
    setWatch(ms, () => {
      fail(SILENT);
    });
  };

  const tell = (event: TopicEvent): void => {
    ahead += 1;
    if (!signal.aborted) observer.event(event);
  };

  /** Tells what comes; why there is no more. */
  const read = async (body: ReadableStream<Uint8Array>): Promise<Failure> => {
    /** Where the stream is, if no event has told it. */
    let position: string | undefined;
    const parser = createParser({
      maxBufferSize: MAX_EVENT_CHARS,
      onEvent: (event) => {
        tell(event);
        if (event.id !== undefined) position = undefined;
        // Without a place in the stream it is the server's own; quotes in what others said are escaped.
        else if (event.data.includes(`"code":"${TOKEN_EXPIRED}"`)) fail(EXPIRED);
      },
      onId: (id) => {
        position = id;
      },
      onRetry: (ms) => {
        observer.retry(ms);
      },
      onError: ({ type }) => {
        if (type === "max-buffer-size-exceeded")
          throw new ClientError("bad_answer", "The event is too long.");
      },
    });
    const reader = body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      watch(options.silenceMs ?? SILENCE_MS);
      const { done, value } = await reader.read();
      if (done) return UNREACHABLE;
      parser.feed(decoder.decode(value, { stream: true }));
      // A block without data tells a position only.
      if (position !== undefined) tell({ id: position });
      position = undefined;
      if (ahead >= window && !signal.aborted) {
        // Until the application has taken some, silence means nothing.
        setWatch();
        setQuiet();
        await new Promise<void>((resolve) => {
          resume = resolve;
        });
        resume = undefined;
      }
      signal.throwIfAborted();
      if (isBehind)
        setQuiet(QUIET_MS, () => {
          observer.caughtUp();
        });
    }
  };

  /** Tells what there is to tell; why there is no more. */
  const run = async (): Promise<Failure> => {
    const token = await getToken();
    signal.throwIfAborted();
    watch(ANSWER_MS);
    const accept = "text/event-stream";
    const response = await ask(
      context,
      token,
      { ...asked, headers: { accept, "last-event-id": after, ...headers } },
      signal,
    );
    signal.throwIfAborted();
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
    observer.opened(isBehind);
    return response.body === null ? UNREACHABLE : await read(response.body);
  };

  // Whatever goes wrong is told.
  void run().catch(failureOfThrown).then(fail);

  return {
    send({ count }) {
      // What an earlier stream told may be taken only now.
      ahead = Math.max(0, ahead - count);
      if (ahead < window) resume?.();
    },
    probe() {
      // While the application holds it up, a stream is silent for a reason.
      if (resume === undefined) watch(PROBE_MS);
    },
    close,
  };
}
