/**
 * Owns a topic's history over HTTP: a page as JSON, all of it as NDJSON. Data that is JSON goes out as
 * the text it is stored as. Refuses to know the topic itself.
 */
import type { From } from "../../durable-objects/log/log.ts";
import type { TopicPage } from "../../durable-objects/topic/topic.ts";
import { formatOf } from "../protocol/content-type.ts";
import type { Entry, Raw } from "../protocol/frames.ts";
import { toBase64 } from "../protocol/json.ts";
import { decodeValue } from "../protocol/value.ts";
import type { AppContext } from "./app-env.ts";
import { exportHistory, type History, readHistory } from "./history.ts";
import { requireAccess } from "./require-access.ts";
import { unrevoked } from "./revocations.ts";
import type { TopicStub } from "./topic-stub.ts";

/** A page of history. A topic that does not exist has an empty one. */
export async function respondWithPage(
  c: AppContext,
  topic: string,
  stub: TopicStub,
  query: { readonly from: From; readonly maxEntries: number },
): Promise<Response> {
  const history = historyOf(stub);
  const { read, gap, items, next, done } = await readHistory(history, query.from, query.maxEntries);
  const { contentType = null, isClosed } = read;
  const body =
    `{"topic":${JSON.stringify(topic)},"contentType":${JSON.stringify(contentType)},` +
    `"closed":${isClosed},${gap === undefined ? "" : `"gap":${gap},`}"events":[${items.join(",")}],` +
    `"next":${JSON.stringify(next)},"done":${done}}`;
  return c.body(body, 200, { "content-type": "application/json", "cache-control": "no-store" });
}

/** All events from a position on, a line each. */
export async function exportTopic(
  c: AppContext,
  topic: string,
  stub: TopicStub,
  from: From,
): Promise<Response> {
  const mayGoOn = async (): Promise<void> => {
    requireAccess(c, "topics", topic, "history");
    await unrevoked(c, stub);
  };
  return await exportHistory(c, historyOf(stub), { from, mayGoOn });
}

function historyOf(stub: TopicStub): History<TopicPage> {
  return { read: async (from, size) => await stub.read(from, size), describe: describeEvent };
}

function describeEvent(
  { at, event, payload, id }: Entry<Raw>,
  position: string,
  { contentType }: TopicPage,
): string {
  const value = decodeValue(payload);
  const text = value instanceof Uint8Array ? toBase64(value) : String(value);
  const data = formatOf(contentType ?? "") === "json" ? text : JSON.stringify(text);
  const name = id === "" ? "" : `,"id":${JSON.stringify(id)}`;
  return `{"position":"${position}","event":${JSON.stringify(event)},"at":${at},"data":${data}${name}}`;
}
