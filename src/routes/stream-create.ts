/** Owns making streams, forks among them. Refuses to know how they are stored. */
import { unwrap } from "../../durable-objects/platform/outcome.ts";
import type { Append, NewEvent, Opened } from "../../durable-objects/topic/appending.ts";
import { defaultSettings, type TopicSettings } from "../../durable-objects/topic/settings.ts";
import { essenceOf, isContentType } from "../protocol/content-type.ts";
import { SluiceError } from "../protocol/errors.ts";
import type { AppContext } from "./app-env.ts";
import { giveBack, spend } from "./quota.ts";
import { readBody } from "./read-json.ts";
import { unrevoked } from "./revocations.ts";
import { toEvents } from "./stream-data.ts";
import { checkBeginning, findFork, type Fork } from "./stream-fork.ts";
import * as h from "./stream-headers.ts";
import { senderOf } from "./topic-envelope.ts";
import { topicOf } from "./topic-stub.ts";

const DEFAULT_TYPE = "application/octet-stream";

/** `PUT`: makes the stream with what the body holds, or finds it as it was asked for. */
export async function createStream(c: AppContext): Promise<Response> {
  const { name, stub } = topicOf(c, "admin");
  await unrevoked(c, stub);
  const life = lifeOf(c);
  const given = c.req.header("content-type");
  if (given !== undefined && !isContentType(given)) {
    throw new SluiceError("invalid_request", { param: "Content-Type" });
  }
  const body = await readBody(c);
  const fork = await findFork(c, name, { contentType: given, life });
  const settings: TopicSettings = fork?.settings ?? {
    ...defaultSettings(normalize(given ?? DEFAULT_TYPE)),
    ...life,
  };
  const { contentType } = settings;
  const own = toEvents(body, contentType, senderOf(c));
  const copied = await payAndCopy(c, { events: own.length, bytes: body.byteLength }, fork);
  const wantsClosed = h.wantsClosed(c);
  const first: Append = {
    events: [...copied, ...own],
    contentType,
    ...(wantsClosed ? { close: { outcome: "completed", data: "" } } : {}),
  };
  const opened: Opened = unwrap(await stub.open(settings, first, fork?.start));
  const isOther = opened.result === "gone" || opened.result === "different";
  if (isOther || opened.isClosed !== wantsClosed) {
    // The copy was made all the same.
    giveBack(c, { publishes: own.length });
    throw new SluiceError("topic_exists");
  }
  // Also by a repetition: the request that made the fork may have died before it told.
  await fork?.register();
  const isNew = opened.result === "created";
  return c.body(null, isNew ? 201 : 200, {
    ...h.describeEnd(opened),
    "content-type": contentType,
    ...(isNew ? { location: new URL(c.req.url).origin + c.req.path } : {}),
  });
}

/**
 * Pays for what the stream shall begin with, and then copies what a fork begins with. That is no
 * publishing, but is stored as if it had been sent; what was paid for and not there to be read comes back.
 *
 * @throws SluiceError `quota_exceeded`, before anything is copied, `body_too_large`, and what
 *   {@link Fork.copy} throws.
 */
async function payAndCopy(
  c: AppContext,
  own: { readonly events: number; readonly bytes: number },
  fork: Fork | undefined,
): Promise<readonly NewEvent[]> {
  checkBeginning(own.events, own.bytes);
  const mostBytes = fork?.mostBytes ?? 0;
  await spend(c, { publishes: own.events, bytes: mostBytes });
  if (fork === undefined) return [];
  let spent = 0;
  try {
    const copied = await fork.copy((bytes) => {
      spent += bytes;
    });
    const bytes = copied.reduce((sum, { payload }) => sum + payload.byteLength, own.bytes);
    checkBeginning(copied.length + own.events, bytes);
    return copied;
  } catch (thrown) {
    giveBack(c, { publishes: own.events });
    throw thrown;
  } finally {
    giveBack(c, { bytes: Math.max(0, mostBytes - spent) });
  }
}

/** One text for types that are the same but for capitals; parameters may hold any. */
function normalize(contentType: string): string {
  const [, ...parameters] = contentType.split(";");
  return [essenceOf(contentType), ...parameters].join(";");
}

/** How long the stream shall live. */
export interface Life {
  readonly ttlMs?: number | undefined;
  readonly expiresAt?: number | undefined;
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;
const SECOND_MS = 1_000;

function lifeOf(c: AppContext): Life {
  const ttl = h.parseCount(c, h.TTL);
  const expires = c.req.header(h.EXPIRES_AT);
  if (ttl !== undefined && expires !== undefined) throw invalid("Give one of the two.", h.TTL);
  if (ttl !== undefined) {
    const ttlMs = ttl * SECOND_MS;
    if (!Number.isSafeInteger(ttlMs)) throw invalid("This is longer than time.", h.TTL);
    return { ttlMs };
  }
  if (expires === undefined) return {};
  const expiresAt = RFC_3339.test(expires) ? Date.parse(expires) : Number.NaN;
  if (Number.isNaN(expiresAt)) throw invalid("Expected a time of RFC 3339.", h.EXPIRES_AT);
  if (expiresAt <= c.var.deps.clock.now()) throw invalid("This time has passed.", h.EXPIRES_AT);
  return { expiresAt };
}

function invalid(detail: string, param: string): SluiceError {
  return new SluiceError("invalid_request", { detail, param });
}
