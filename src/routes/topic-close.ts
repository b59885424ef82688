/** Owns the end of a topic as publishers ask for it over HTTP. Refuses to know what was published before. */
import * as v from "valibot";
import type { Append } from "../../durable-objects/topic/appending.ts";
import { SluiceError } from "../protocol/errors.ts";
import { MAX_EVENT_BYTES } from "../protocol/limits.ts";
import { formatPosition } from "../protocol/position.ts";
import type { AppContext } from "./app-env.ts";
import { readOptionalJson } from "./read-json.ts";
import { requireAccess } from "./require-access.ts";
import { append, topicOf } from "./topic-stub.ts";

const OUTCOMES = ["completed", "stopped", "failed"] as const;

const closeSchema = v.strictObject({
  outcome: v.optional(v.picklist(OUTCOMES), "completed"),
  data: v.optional(v.unknown()),
});

/**
 * The end that `?close=<outcome>` asks for after what is published; undefined when none is asked for.
 *
 * @throws SluiceError `invalid_request`, `forbidden`: ending a topic is more than publishing.
 */
export function closeWanted(c: AppContext, topic: string): Append["close"] {
  const close = c.req.query("close");
  if (close === undefined) return undefined;
  requireAccess(c, "topics", topic, "admin");
  const outcome = OUTCOMES.find((name) => name === close);
  if (outcome !== undefined) return { outcome, data: "" };
  throw new SluiceError("invalid_request", {
    detail: `Expected ${OUTCOMES.join(", ")}.`,
    param: "close",
  });
}

/** `POST …/close`: ends a topic that is there, and says which end counts. */
export async function closeTopic(c: AppContext): Promise<Response> {
  const { name, stub } = topicOf(c, "admin");
  const parsed = v.safeParse(closeSchema, await readOptionalJson(c));
  if (!parsed.success) {
    throw new SluiceError("invalid_request", {
      detail: `Expected {outcome?: ${OUTCOMES.join(" | ")}, data?}.`,
    });
  }
  const { outcome, data } = parsed.output;
  const text = data === undefined ? "" : JSON.stringify(data);
  if (new TextEncoder().encode(text).byteLength > MAX_EVENT_BYTES) {
    throw new SluiceError("message_too_large");
  }
  await append(c, stub, {
    events: [],
    contentType: "application/json",
    close: { outcome, data: text },
  });
  const description = await stub.describe();
  if (description?.ending === undefined) throw new SluiceError("not_found");
  const { ending, epoch, tail } = description;
  return c.json({
    topic: name,
    // Of the end that counts: a topic that had ended before keeps the one it has.
    outcome: ending.outcome,
    data: ending.data === "" ? undefined : (JSON.parse(ending.data) as unknown),
    position: formatPosition({ epoch, seq: tail + 1 }),
  });
}
