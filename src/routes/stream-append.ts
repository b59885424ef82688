/** Owns appending to a stream and closing it. Refuses to know how data is stored. */
import type { Append, AppendResult } from "../../durable-objects/topic/appending.ts";
import type { ProducerStamp } from "../../durable-objects/topic/producers.ts";
import { unwrap } from "../../durable-objects/platform/outcome.ts";
import { isContentType } from "../protocol/content-type.ts";
import { SluiceError } from "../protocol/errors.ts";
import type { AppContext } from "./app-env.ts";
import { giveBack, spendOn } from "./quota.ts";
import { readBody } from "./read-json.ts";
import { bearingOf, unrevoked } from "./revocations.ts";
import { toEvents } from "./stream-data.ts";
import * as h from "./stream-headers.ts";
import { missing, refuse } from "./stream-stub.ts";
import { senderOf } from "./topic-envelope.ts";
import { type TopicStub, topicOf } from "./topic-stub.ts";

/** Characters of a producer's id and of a place in the writers' order: both are stored with every row. */
const MAX_ID_CHARS = 256;

/** `POST`: appends the body, closes the stream, or both in one step. */
export async function appendToStream(c: AppContext): Promise<Response> {
  const isClosing = h.wantsClosed(c);
  const { stub } = topicOf(c, isClosing ? "admin" : "publish");
  const producer = producerOf(c);
  const order = requireShort(c, h.SEQ);
  const body = await readBody(c);
  const contentType = c.req.header("content-type") ?? "";
  if (body.byteLength === 0 && !isClosing) throw invalid("There is nothing to append.");
  if (body.byteLength > 0 && !isContentType(contentType)) {
    throw invalid("The content type is missing, or none.", "Content-Type");
  }
  let events: ReturnType<typeof toEvents>;
  try {
    events = toEvents(body, contentType, senderOf(c));
  } catch (thrown) {
    // That a stream is closed counts more than what is wrong with the body.
    return (await refuseIfClosed(c, stub)) ?? rethrow(thrown);
  }
  if (events.length === 0 && !isClosing) throw invalid("An empty array appends nothing.");
  const request: Append = {
    events,
    contentType,
    isExactType: true,
    producer,
    order,
    ...(isClosing ? { close: { outcome: "completed", data: "" } } : {}),
  };
  const result: AppendResult = await spendOn(c, { publishes: events.length }, async () =>
    unwrap(await stub.append(request, bearingOf(c))),
  );
  if (result.kind !== "appended" && result.kind !== "duplicate") {
    giveBack(c, { publishes: events.length });
  }
  if (result.kind === "missing") throw await missing(stub);
  return answer(c, result, producer);
}

function answer(
  c: AppContext,
  result: AppendResult,
  producer: ProducerStamp | undefined,
): Response {
  const end = h.describeEnd(result);
  const fail = (error: SluiceError, headers = {}): Response =>
    refuse(c, error, { ...end, ...headers });
  switch (result.kind) {
    case "appended":
    case "duplicate": {
      if (producer === undefined) return c.body(null, 204, end);
      const isNew = result.kind === "appended";
      return c.body(null, isNew && result.seqs.length > 0 ? 200 : 204, {
        ...end,
        [h.PRODUCER_EPOCH]: String(producer.epoch),
        [h.PRODUCER_SEQ]: String(isNew ? producer.seq : result.newestSeq),
      });
    }
    case "missing":
      return fail(new SluiceError("not_found"));
    case "closed":
      return fail(new SluiceError("topic_closed"));
    case "wrong_type":
      return fail(
        new SluiceError("content_type_mismatch", {
          detail: `This stream holds ${result.contentType}.`,
        }),
      );
    case "out_of_order":
      return fail(new SluiceError("out_of_order", { param: h.SEQ }));
    case "producer_stale":
      return fail(new SluiceError("producer_fenced"), {
        [h.PRODUCER_EPOCH]: String(result.newestEpoch),
      });
    case "producer_ahead":
      return fail(new SluiceError("producer_gap"), {
        [h.PRODUCER_EXPECTED_SEQ]: String(result.expectedSeq),
        [h.PRODUCER_RECEIVED_SEQ]: String(producer?.seq ?? 0),
      });
    case "producer_invalid":
      return fail(invalid("A new epoch of a producer begins with 0.", h.PRODUCER_SEQ));
  }
}

async function refuseIfClosed(c: AppContext, stub: TopicStub): Promise<Response | undefined> {
  await unrevoked(c, stub);
  const description = await stub.describe();
  if (description?.ending === undefined) return undefined;
  const end = h.describeEnd({ ...description, isClosed: true });
  return refuse(c, new SluiceError("topic_closed"), end);
}

function rethrow(thrown: unknown): never {
  throw thrown;
}

/** All three headers or none. */
function producerOf(c: AppContext): ProducerStamp | undefined {
  const id = requireShort(c, h.PRODUCER_ID);
  const epoch = h.parseCount(c, h.PRODUCER_EPOCH);
  const seq = h.parseCount(c, h.PRODUCER_SEQ);
  if (id === undefined && epoch === undefined && seq === undefined) return undefined;
  if (id !== undefined && epoch !== undefined && seq !== undefined) return { id, epoch, seq };
  throw invalid("A producer says its id, its epoch and its seq.", h.PRODUCER_ID);
}

function requireShort(c: AppContext, header: string): string | undefined {
  const text = c.req.header(header);
  if (text === undefined || (text.length > 0 && text.length <= MAX_ID_CHARS)) return text;
  throw invalid(`Expected 1 to ${MAX_ID_CHARS} characters.`, header);
}

function invalid(detail: string, param?: string): SluiceError {
  return new SluiceError("invalid_request", { detail, ...(param === undefined ? {} : { param }) });
}
