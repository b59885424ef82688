/** Owns how the protocol's requests find a topic, and how they are refused. Refuses to know what they ask. */
import type { From, PageSize } from "../../durable-objects/log/log.ts";
import type { TopicPage } from "../../durable-objects/topic/topic.ts";
import { readEntries } from "../protocol/entries.ts";
import { SluiceError } from "../protocol/errors.ts";
import { isPosition } from "../protocol/reader-start.ts";
import { decodeValue } from "../protocol/value.ts";
import type { AppContext } from "./app-env.ts";
import { renderProblem } from "./problem.ts";
import type { TopicStub } from "./topic-stub.ts";

/** A stretch of a stream that exists. */
export interface StreamPage {
  readonly epoch: string;
  readonly tail: number;
  readonly contentType: string;
  readonly isClosed: boolean;
  /** Position after which the stretch begins. */
  readonly after: number;
  /** Position of its last event; `after` when it is empty. */
  readonly last: number;
  /** Whether it reaches the end. */
  readonly isDone: boolean;
  /** The data of its events. */
  readonly data: readonly unknown[];
}

/**
 * Reads a stretch.
 *
 * @throws SluiceError `not_found`, `topic_gone`, `bad_position`.
 */
export async function readStream(stub: TopicStub, from: From, size: PageSize): Promise<StreamPage> {
  const { epoch, tail, contentType, isClosed, page }: TopicPage = await stub.read(from, size);
  if (contentType === undefined) throw await missing(stub);
  if (page.kind === "gap")
    throw new SluiceError(page.reason === "future" ? "bad_position" : "topic_gone");
  const after = isPosition(from) ? from.seq : page.first - 1;
  const payloads = [...readEntries(page.entries)].slice(Math.max(0, after + 1 - page.first));
  return {
    epoch,
    tail,
    contentType,
    isClosed,
    after,
    last: page.last,
    isDone: page.done,
    data: payloads.map(({ payload }) => decodeValue(payload)),
  };
}

/** Why there is no stream: it never was, or was deleted and has forks. */
export async function missing(stub: TopicStub): Promise<SluiceError> {
  return new SluiceError((await stub.isGone()) ? "topic_gone" : "not_found");
}

/** A refusal that the protocol explains in headers. */
export function refuse(
  c: AppContext,
  error: SluiceError,
  headers: Readonly<Record<string, string>>,
): Response {
  const response = renderProblem(error, { requestId: c.get("requestId"), path: c.req.path });
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}
