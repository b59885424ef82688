/**
 * Owns forks: a new stream that begins with a copy of another's beginning, at the same offsets.
 * Refuses to know how either is stored.
 */
import type { NewEvent } from "../../durable-objects/topic/appending.ts";
import type { ForkPoint, TopicSettings } from "../../durable-objects/topic/settings.ts";
import type { TopicDescription } from "../../durable-objects/topic/topic.ts";
import { essenceOf, formatOf } from "../protocol/content-type.ts";
import { SluiceError } from "../protocol/errors.ts";
import type { Position } from "../protocol/frames.ts";
import { MAX_STREAM_MESSAGES, PAGE_BYTES } from "../protocol/limits.ts";
import { NO_EPOCH } from "../protocol/position.ts";
import { DEFAULT_EVENT } from "../sse/topic-reader.ts";
import type { AppContext } from "./app-env.ts";
import type { Life } from "./stream-create.ts";
import { takeFirst } from "./stream-data.ts";
import * as h from "./stream-headers.ts";
import { parseOffset } from "./stream-offset.ts";
import { countTopics } from "./quota.ts";
import { unrevoked } from "./revocations.ts";
import { missing, readStream } from "./stream-stub.ts";
import { toPayload } from "./topic-envelope.ts";
import { openTopic, topicOf, type TopicStub } from "./topic-stub.ts";

/** Begins the path of a stream, which is how a source is named. */
const PATH = "/v1/stream/";

/** Bytes that a fork may begin with: they cross to its object in one call. */
const MAX_FORK_BYTES = 16 * 1024 * 1024;

const PAGE = { maxBytes: 16 * PAGE_BYTES, maxEntries: MAX_STREAM_MESSAGES };

/** A fork that may now be made. */
export interface Fork {
  readonly settings: TopicSettings;
  /** The position its own log begins after. */
  readonly start: Position;
  /** Bytes that what it begins with takes at most, to be paid for before it is copied. */
  readonly mostBytes: number;
  /**
   * What it begins with; nothing is read from the source before this is called.
   *
   * @param onCopied told how many bytes it has come to, piece by piece.
   * @throws SluiceError `invalid_request`, `body_too_large`, `not_found`, `topic_gone`.
   */
  readonly copy: (onCopied: (bytes: number) => void) => Promise<readonly NewEvent[]>;
  /** Tells the source of the fork, once it is made. */
  readonly register: () => Promise<void>;
}

/** What a fork's request says besides where it leaves. */
interface Wish {
  readonly contentType: string | undefined;
  readonly life: Life;
}

/**
 * Finds out about the source of the fork that a request asks for; undefined when none is asked for.
 *
 * @throws SluiceError `invalid_request`, `not_found`, `topic_exists`, `content_type_mismatch`,
 *   `body_too_large`, `quota_exceeded`.
 */
export async function findFork(c: AppContext, as: string, wish: Wish): Promise<Fork | undefined> {
  const path = c.req.header(h.FORKED_FROM);
  const offset = c.req.header(h.FORK_OFFSET);
  const beyond = h.parseCount(c, h.FORK_SUB_OFFSET);
  if (path === undefined) {
    if (offset === undefined && beyond === undefined) return undefined;
    throw invalid("Only a fork leaves somewhere.", h.FORKED_FROM);
  }
  const topic = nameIn(path);
  const stub = openTopic(c, topic, "history", h.FORKED_FROM);
  await countTopics(c, [topic]);
  await unrevoked(c, stub);
  const source = await stub.describe();
  if (source === undefined) {
    const { code } = await missing(stub);
    throw code === "topic_gone"
      ? new SluiceError("topic_exists", { detail: "The source was deleted; forks of it live." })
      : new SluiceError("not_found", { detail: "There is no such source.", param: h.FORKED_FROM });
  }
  const { contentType } = source.settings;
  if (wish.contentType !== undefined && essenceOf(wish.contentType) !== essenceOf(contentType)) {
    throw new SluiceError("content_type_mismatch", { detail: `The source holds ${contentType}.` });
  }
  const seq = await leavingAt(c, source, { offset, topic });
  const point: ForkPoint = { topic, epoch: source.epoch, seq, beyond: beyond ?? 0, as };
  const settings: TopicSettings = {
    ...source.settings,
    ...lifeOf(source.settings, wish.life),
    forkedFrom: point,
  };
  const start = { epoch: source.epoch, seq: source.head - 1 };
  const stretch = { ...point, start, contentType };
  return {
    settings,
    start,
    mostBytes: await measure(stub, stretch, source.tail),
    copy: async (onCopied) => {
      const data = await copy(stub, stretch, onCopied);
      // Without ids: what writers know of the source says nothing about the fork.
      return data.map((item) => ({
        event: DEFAULT_EVENT,
        payload: toPayload(item),
        id: "",
        sender: "",
      }));
    },
    register: async () => {
      await stub.addFork(as);
    },
  };
}

function nameIn(path: string): string {
  const name = path.startsWith(PATH) ? path.slice(PATH.length) : "";
  try {
    return decodeURIComponent(name);
  } catch {
    throw invalid("Expected the path of a stream.", h.FORKED_FROM);
  }
}

/** The last position that the fork shares with its source. */
async function leavingAt(
  c: AppContext,
  source: TopicDescription,
  { offset, topic }: { readonly offset: string | undefined; readonly topic: string },
): Promise<number> {
  if (offset === undefined) {
    // A repeated request means the fork that it has made, wherever the source ends by now.
    const known = (await topicOf(c, "admin").stub.describe())?.settings.forkedFrom;
    return known?.topic === topic && known.epoch === source.epoch ? known.seq : source.tail;
  }
  const { epoch, seq } = parseOffset(offset);
  if (epoch !== source.epoch && epoch !== NO_EPOCH) {
    throw invalid("This offset is not one of the source.", h.FORK_OFFSET);
  }
  if (seq > source.tail) throw invalid("The source ends before this offset.", h.FORK_OFFSET);
  return Math.max(seq, source.head - 1);
}

/** A fork that says nothing about it lives as its source does. */
function lifeOf(source: Life, wish: Life): Life {
  const { ttlMs, expiresAt } = wish;
  return ttlMs === undefined && expiresAt === undefined
    ? { ttlMs: source.ttlMs, expiresAt: source.expiresAt }
    : { ttlMs, expiresAt };
}

interface Stretch {
  readonly start: Position;
  readonly seq: number;
  readonly beyond: number;
  readonly contentType: string;
}

/** How much it is at most: the source counts its events as they are stored, with what is around them. */
async function measure(
  stub: TopicStub,
  { start, seq, beyond, contentType }: Stretch,
  tail: number,
): Promise<number> {
  const isCounted = formatOf(contentType) === "json";
  const last = Math.min(isCounted ? seq + beyond : seq, tail);
  checkBeginning(last - start.seq, 0);
  const whole = await stub.bytesUpTo(last);
  const isCut = !isCounted && beyond > 0;
  const bytes = isCut ? Math.min(whole + beyond, await stub.bytesUpTo(tail)) : whole;
  // More is refused, whatever it is.
  return Math.min(bytes, MAX_FORK_BYTES);
}

/** The data of the events that a fork begins with. */
async function copy(
  stub: TopicStub,
  { start, seq, beyond, contentType }: Stretch,
  onCopied: (bytes: number) => void,
): Promise<readonly (string | Uint8Array)[]> {
  const data: unknown[] = [];
  const following: unknown[] = [];
  let bytes = 0;
  let taken = 0;
  for (let at = start.seq; ;) {
    const page = await readStream(stub, { epoch: start.epoch, seq: at }, PAGE);
    for (const [index, item] of page.data.entries()) {
      const isShared = at + index + 1 <= seq;
      if (!isShared && taken >= beyond) break;
      const size = sizeOf(item);
      if (!isShared) taken += formatOf(contentType) === "json" ? 1 : size;
      (isShared ? data : following).push(item);
      bytes += size;
      onCopied(size);
    }
    checkBeginning(data.length + following.length, bytes);
    at = page.last;
    if (page.isDone || (at >= seq && taken >= beyond)) break;
  }
  const whole = data.map((item) => (item instanceof Uint8Array ? item : String(item)));
  return [...whole, ...takeFirst(following, beyond, contentType)];
}

/**
 * Refuses a stream that would begin with more than its object can store at once.
 *
 * @throws SluiceError `body_too_large`.
 */
export function checkBeginning(events: number, bytes: number): void {
  if (bytes <= MAX_FORK_BYTES && events <= MAX_STREAM_MESSAGES) return;
  throw new SluiceError("body_too_large", {
    detail: `A stream may begin with ${MAX_FORK_BYTES} bytes and ${MAX_STREAM_MESSAGES} events at most.`,
  });
}

function sizeOf(item: unknown): number {
  return item instanceof Uint8Array
    ? item.byteLength
    : new TextEncoder().encode(String(item)).byteLength;
}

function invalid(detail: string, param: string): SluiceError {
  return new SluiceError("invalid_request", { detail, param });
}
