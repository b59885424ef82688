/**
 * Owns several topics as one event stream, for browsers that allow six connections to a host (S7).
 * Refuses to know the topics themselves: it reads frames.
 */
import { expiryOf } from "../auth/principal.ts";
import { SluiceError } from "../protocol/errors.ts";
import { MAX_TOPICS_PER_STREAM } from "../protocol/limits.ts";
import type { ReaderStart } from "../protocol/reader-start.ts";
import { encodeEvent, encodeId } from "../sse/encode.ts";
import { type GatewayFrame, positionBefore, readFrames } from "../sse/gateway.ts";
import { respondWithEvents, respondWithoutEvents } from "../sse/response.ts";
import { type TopicEvent, TopicReader } from "../sse/topic-reader.ts";
import { openScope } from "../stream/abort.ts";
import { operate } from "../stream/closing.ts";
import { merge } from "../stream/merge.ts";
import type { AppContext } from "./app-env.ts";
import { ELSEWHERE, readLastEventId } from "./last-event-id.ts";
import { isHead } from "./is-head.ts";
import { describeFrames } from "./log-stream.ts";
import { tryOpenReader, wouldOpenReader } from "./open-reader.ts";
import { openCounted } from "./slots.ts";
import { permitHeaders } from "./require-access.ts";
import { StreamPosition } from "./stream-position.ts";
import { parseFrom } from "./topic-start.ts";
import { openTopic, type TopicStub } from "./topic-stub.ts";

/** A topic of the stream, and where its reader begins. */
interface Source {
  readonly topic: string;
  readonly start: ReaderStart;
  readonly socket: WebSocket;
}

/** A frame, and whose it is. */
interface SourceFrame {
  readonly source: Source;
  readonly reader: TopicReader;
  readonly frame: GatewayFrame;
}

/**
 * Streams several topics: `event` is the event's name, `data` is `{"topic", "data"}`, and one `id`
 * resumes all of them. Each topic keeps its order. Ends when all topics have.
 *
 * @throws SluiceError `invalid_request`, `bad_name`, `bad_position`, `room_overloaded`, `quota_exceeded`.
 */
export async function respondWithTopicsEvents(c: AppContext): Promise<Response> {
  const { deps, config } = c.var;
  checkFormat(c);
  const topics = parseTopics(c);
  const position = positionOf(c, topics);
  const from = parseFrom(c);
  // Before any is opened: a bad name, or one that is not allowed, opens nothing.
  const stubs = topics.map((topic) => ({ topic, stub: openTopic(c, topic, "read") }));
  const startOfTopic = (topic: string): ReaderStart => position.get(topic) ?? from;
  if (isHead(c)) {
    const asked = stubs.map(
      async ({ topic, stub }) =>
        await wouldOpenReader(stub, startOfTopic(topic), permitHeaders(c, "topics", topic)),
    );
    const haveMore = (await Promise.all(asked)).includes(true);
    return haveMore ? respondWithoutEvents() : c.body(null, 204);
  }
  const scope = openScope(c.req.raw.signal);
  const sources = await openSources(c, stubs, startOfTopic);
  if (sources.length === 0) return c.body(null, 204);
  const frames = merge(
    sources.map((source) => {
      const read = readFrames(source.socket, {
        clock: deps.clock,
        signal: scope.signal,
        expiresAt: expiryOf(c.var.principal),
      });
      return nameFrames(source, read);
    }),
    () => {
      scope.abort(new DOMException("The stream has ended.", "AbortError"));
    },
  );
  return respondWithEvents(describeFrames(frames, deps.random(), describerFrom(position)), {
    clock: deps.clock,
    keepaliveMs: config.keepaliveMs,
    abort: scope.abort,
  });
}

/** Where the client is; of no topic, when it has just come. */
function positionOf(c: AppContext, topics: readonly string[]): StreamPosition {
  const elsewhere = new StreamPosition(topics);
  for (const topic of topics) elsewhere.set(topic, ELSEWHERE);
  const parse = (id: string): StreamPosition | undefined => StreamPosition.parse(topics, id);
  return readLastEventId(c, parse, elsewhere) ?? new StreamPosition(topics);
}

/** There is nothing else than this stream here: whoever asks for a document would wait for its end for ever. */
function checkFormat(c: AppContext): void {
  const format = c.req.query("format");
  if (format === undefined || format === "sse") return;
  throw new SluiceError("invalid_request", {
    detail: "Expected sse: several topics are one event stream, and nothing else.",
    param: "format",
  });
}

function parseTopics(c: AppContext): readonly string[] {
  const topics = [...new Set(c.req.queries("topic"))];
  if (topics.length > 0 && topics.length <= MAX_TOPICS_PER_STREAM) return topics;
  throw new SluiceError("invalid_request", {
    detail: `Expected ?topic=…&topic=…, up to ${MAX_TOPICS_PER_STREAM} topics.`,
    param: "topic",
  });
}

/** All of them, less those that the client has to the end; or none, when one cannot be opened. */
async function openSources(
  c: AppContext,
  stubs: readonly { readonly topic: string; readonly stub: TopicStub }[],
  startOfTopic: (topic: string) => ReaderStart,
): Promise<readonly Source[]> {
  const opened = await Promise.allSettled(
    stubs.map(async ({ topic, stub }) => {
      const start = startOfTopic(topic);
      const headers = permitHeaders(c, "topics", topic);
      // Each is a connection to an object of its own, and counts as one.
      const socket = await openCounted(
        c,
        { kind: "topic", name: topic },
        async (slots) => await tryOpenReader(stub, start, { ...headers, ...slots }),
      );
      return socket === undefined ? [] : [{ topic, start, socket }];
    }),
  );
  const sources = opened.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
  const failed = opened.find((result) => result.status === "rejected");
  if (failed === undefined) return sources;
  for (const { socket } of sources) {
    socket.accept();
    socket.close(1000, "");
  }
  throw failed.reason;
}

function nameFrames(
  source: Source,
  frames: AsyncIterable<GatewayFrame>,
): AsyncIterableIterator<SourceFrame> {
  const reader = new TopicReader();
  return operate(frames, async function* (iterator) {
    await using read = iterator;
    for (let next = await read.next(); next.done !== true; next = await read.next()) {
      yield { source, reader, frame: next.value };
    }
  });
}

function describerFrom(position: StreamPosition): (read: SourceFrame) => string {
  return ({ source: { topic, start }, reader, frame }) => {
    let text = "";
    if (frame.kind === "welcome") {
      position.set(topic, positionBefore(start, frame));
      text = encodeId(position.toString());
    }
    for (const event of reader.read(frame)) {
      position.set(topic, event.position);
      text += describeEvent(topic, event, position.toString());
    }
    return text;
  };
}

function describeEvent(topic: string, { event, data, isJson }: TopicEvent, id: string): string {
  const value = isJson ? data : JSON.stringify(data);
  return encodeEvent({
    id,
    ...(event === undefined ? {} : { event }),
    data: `{"topic":${JSON.stringify(topic)},"data":${value}}`,
  });
}
