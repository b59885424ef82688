/** Owns one topic as an event stream. Refuses to know the topic itself: it reads frames. */
import { expiryOf } from "../auth/principal.ts";
import { formatPosition, parsePosition } from "../protocol/position.ts";
import type { ReaderStart } from "../protocol/reader-start.ts";
import { encodeEvent, encodeId } from "../sse/encode.ts";
import { type GatewayFrame, positionBefore, readFrames } from "../sse/gateway.ts";
import { respondWithEvents, respondWithoutEvents } from "../sse/response.ts";
import { TopicReader } from "../sse/topic-reader.ts";
import { openScope } from "../stream/abort.ts";
import type { AppContext } from "./app-env.ts";
import { ELSEWHERE, readLastEventId } from "./last-event-id.ts";
import { isHead } from "./is-head.ts";
import { describeFrames } from "./log-stream.ts";
import { tryOpenReader, wouldOpenReader } from "./open-reader.ts";
import { openCounted } from "./slots.ts";
import { permitHeaders } from "./require-access.ts";
import { parseFrom } from "./topic-start.ts";
import type { TopicStub } from "./topic-stub.ts";

/**
 * Streams a topic: `id` is the position, `event` the event's name unless it is the usual one, `data`
 * what was published. `gap` says what is no longer stored, `end` that nothing follows; who has it all
 * gets 204, at which browsers stop.
 *
 * @throws SluiceError `bad_position`, `invalid_request`, `room_overloaded`, `quota_exceeded`.
 */
export async function respondWithTopicEvents(
  c: AppContext,
  topic: string,
  stub: TopicStub,
): Promise<Response> {
  const { deps, config } = c.var;
  const start = readLastEventId(c, parsePosition, ELSEWHERE) ?? parseFrom(c);
  const headers = permitHeaders(c, "topics", topic);
  if (isHead(c)) {
    const hasMore = await wouldOpenReader(stub, start, headers);
    return hasMore ? respondWithoutEvents() : c.body(null, 204);
  }
  const socket = await openCounted(
    c,
    { kind: "topic", name: topic },
    async (slots) => await tryOpenReader(stub, start, { ...headers, ...slots }),
  );
  if (socket === undefined) return c.body(null, 204);
  const scope = openScope(c.req.raw.signal);
  const frames = readFrames(socket, {
    clock: deps.clock,
    signal: scope.signal,
    expiresAt: expiryOf(c.var.principal),
  });
  return respondWithEvents(describeFrames(frames, deps.random(), describerFrom(start)), {
    clock: deps.clock,
    keepaliveMs: config.keepaliveMs,
    abort: scope.abort,
  });
}

function describerFrom(start: ReaderStart): (frame: GatewayFrame) => string {
  const reader = new TopicReader();
  return (frame) => {
    let text = "";
    if (frame.kind === "welcome") text = encodeId(formatPosition(positionBefore(start, frame)));
    for (const { position, event, data } of reader.read(frame)) {
      text += encodeEvent({
        id: formatPosition(position),
        ...(event === undefined ? {} : { event }),
        data,
      });
    }
    return text;
  };
}
