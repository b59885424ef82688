/** Owns how an answer is asked for and read on: by requests that are event streams. Refuses to know what it says. */
import type { Context } from "../context.ts";
import { eventStreams } from "../http/event-stream.ts";
import type { Asked } from "../http/request.ts";
import { newId } from "../new-id.ts";
import type { TopicEvent, TopicTaken } from "../topic/transport.ts";
import type { Transport } from "../transport.ts";
import { pathOf } from "./record.ts";
import type { ChatOptions, ChatRequest } from "./types.ts";

/** Names an answer, in the server's answers. */
const GENERATION_HEADER = "sluice-generation";

/** Codes of an answer that came to nothing: asking again with the same key gives the same answer. */
const FAILED_ANSWER = /^(upstream|generation)_|^output_limit$/;

/** Where reading goes on. */
export interface ChatResume {
  /** The answer's id; undefined until it is known. */
  readonly id: string | undefined;
  readonly after: string | undefined;
}

/** Carries an answer. */
export type ChatTransport = Transport<ChatResume, TopicEvent, TopicTaken>;

/**
 * Carries an answer over the network. @param question left out for one that was asked for before.
 * @param named told the answer's id.
 */
export function fetchAnswer(
  context: Context,
  question?: Asked,
  named?: (id: string | null) => void,
): ChatTransport {
  return eventStreams(context, ({ id, after }) => ({
    ...(id === undefined && question !== undefined
      ? question
      : { path: `${pathOf(id)}/events`, after }),
    isBehind: id !== undefined,
    isFinal: (code) => FAILED_ANSWER.test(code),
    answered: ({ headers }) => named?.(headers.get(GENERATION_HEADER)),
  }));
}

/** The question, under a key, so that asking again is not asking twice. */
export function questionOf(
  request: ChatRequest,
  { idempotencyKey = newId(), whenAbandoned }: ChatOptions,
): Asked {
  return {
    path: "/v1/chat/completions",
    headers: { "idempotency-key": idempotencyKey, "sluice-when-abandoned": whenAbandoned },
    body: { stream_options: { include_usage: true }, ...request, stream: true, store: true },
  };
}
