/** Owns how the doors of a topic find its object, and what its refusals are called over HTTP. */
import type { TopicObject } from "../../durable-objects/topic.ts";
import { unwrap } from "../../durable-objects/platform/outcome.ts";
import type { Append, AppendResult } from "../../durable-objects/topic/appending.ts";
import { SluiceError } from "../protocol/errors.ts";
import type { Capability } from "../protocol/capabilities.ts";
import { isTopicName } from "../protocol/names.ts";
import type { AppContext } from "./app-env.ts";
import { bearingOf } from "./revocations.ts";
import { requireAccess } from "./require-access.ts";

export type TopicStub = DurableObjectStub<TopicObject>;

/**
 * The object of a topic by the topic's name, for a caller who may do this to it.
 *
 * @throws SluiceError `bad_name`, `forbidden`.
 */
export function openTopic(
  c: AppContext,
  name: string,
  capability: Capability,
  param = "topic",
): TopicStub {
  if (!isTopicName(name)) throw new SluiceError("bad_name", { param });
  requireAccess(c, "topics", name, capability);
  return c.env.TOPICS.getByName(name);
}

/** The topic that the request's path names, for a caller who may do this to it. */
export function topicOf(
  c: AppContext,
  capability: Capability,
): { readonly name: string; readonly stub: TopicStub } {
  const name = c.req.param("topic") ?? "";
  return { name, stub: openTopic(c, name, capability) };
}

/** What an append that did happen gives. */
export type Appended = Extract<AppendResult, { kind: "appended" }>;

/**
 * Appends, and names what a native publisher can meet.
 *
 * @throws SluiceError `token_revoked`, `topic_closed`, `content_type_mismatch`, `not_found`.
 */
export async function append(c: AppContext, stub: TopicStub, request: Append): Promise<Appended> {
  const result: AppendResult = unwrap(await stub.append(request, bearingOf(c)));
  switch (result.kind) {
    case "appended":
      return result;
    case "closed":
      throw new SluiceError("topic_closed");
    case "wrong_type":
      throw new SluiceError("content_type_mismatch", {
        detail: `This topic holds ${result.contentType}, not ${request.contentType}.`,
      });
    case "missing":
      throw new SluiceError("not_found", { detail: "There is no such topic." });
    case "duplicate":
    case "out_of_order":
    case "producer_stale":
    case "producer_ahead":
    case "producer_invalid":
      throw new Error("only producers can meet this, and this door has none");
  }
}
