/**
 * Owns what tabs say to each other, and that nothing else is heard: another version of this page, or
 * another script, may speak on the same channel. Refuses to act on it.
 */
import type { RoomCommand, RoomEvent, RoomResume } from "../room/transport.ts";
import type { TopicEvent, TopicResume, TopicTaken } from "../topic/transport.ts";
import type { Failure } from "../transport.ts";

/** Part of the channels' names: tabs of different versions do not meet. */
export const VERSION = 2;

/** What a tab wants a connection to. */
export type Target =
  | { readonly surface: "topic"; readonly topics: readonly string[]; readonly resume: TopicResume }
  | { readonly surface: "room"; readonly room: string; readonly resume: RoomResume }
  | { readonly surface: "chat"; readonly id: string; readonly resume: TopicResume };

/** What carries each surface. */
export type AnyCommand = TopicTaken | RoomCommand;
export type AnyEvent = TopicEvent | RoomEvent;

/** What a tab says to the leader about one of its links. */
export type LinkRequest =
  | { readonly kind: "open"; readonly target: Target }
  | { readonly kind: "send"; readonly command: AnyCommand }
  /** `beat` asks whether the leader is there, `probe` whether its connection is, too. */
  | { readonly kind: "beat" | "probe" | "close" };

/** What the leader tells of a link. */
export type LinkNews =
  | { readonly kind: "accepted" | "caught-up" | "unknown" }
  | { readonly kind: "opened"; readonly isBehind: boolean }
  | { readonly kind: "event"; readonly event: AnyEvent }
  | { readonly kind: "failed"; readonly failure: Failure };

/** To whoever leads. */
export interface RequestMessage {
  readonly tab: string;
  readonly link: string;
  readonly request: LinkRequest;
}

/** Who leads from now on. */
interface LeaderMessage {
  readonly leader: string;
}

/** On the channel that all share. */
export type SharedMessage = RequestMessage | LeaderMessage;

/** On a tab's own channel. */
export interface NewsMessage {
  readonly leader: string;
  readonly link: string;
  readonly news: LinkNews;
}

/** A message of the channel that all share; undefined for what is none. */
export function parseShared(data: unknown): SharedMessage | undefined {
  if (!isRecord(data)) return undefined;
  if (isText(data["leader"])) return { leader: data["leader"] };
  const { tab, link, request } = data;
  if (!isText(tab) || !isText(link)) return undefined;
  const parsed = parseRequest(request);
  return parsed === undefined ? undefined : { tab, link, request: parsed };
}

/** A message of a tab's own channel; undefined for what is none. */
export function parseNews(data: unknown): NewsMessage | undefined {
  if (!isRecord(data)) return undefined;
  const { leader, link, news } = data;
  if (!isText(leader) || !isText(link)) return undefined;
  const parsed = parseLinkNews(news);
  return parsed === undefined ? undefined : { leader, link, news: parsed };
}

function parseRequest(request: unknown): LinkRequest | undefined {
  if (!isRecord(request)) return undefined;
  switch (request["kind"]) {
    case "open": {
      const target = parseTarget(request["target"]);
      return target && { kind: "open", target };
    }
    case "send":
      // The rest of it was made by this version, which the channel's name says.
      return isKind(request["command"], COMMANDS)
        ? { kind: "send", command: request["command"] as unknown as AnyCommand }
        : undefined;
    case "beat":
    case "probe":
    case "close":
      return { kind: request["kind"] };
    default:
      return undefined;
  }
}

function parseTarget(target: unknown): Target | undefined {
  if (!isRecord(target) || !isRecord(target["resume"])) return undefined;
  const { surface, topics, room, id, resume } = target;
  if (surface === "room" && isText(room) && resume["kind"] === "hello") {
    return { surface, room, resume: resume as unknown as RoomResume };
  }
  if (typeof resume["window"] !== "number") return undefined;
  const after = resume as unknown as TopicResume;
  if (surface === "chat" && isText(id)) return { surface, id, resume: after };
  const isTopics = Array.isArray(topics) && topics.length > 0 && topics.every(isText);
  return surface === "topic" && isTopics ? { surface, topics, resume: after } : undefined;
}

function parseLinkNews(news: unknown): LinkNews | undefined {
  if (!isRecord(news)) return undefined;
  switch (news["kind"]) {
    case "accepted":
    case "caught-up":
    case "unknown":
      return { kind: news["kind"] };
    case "opened":
      return { kind: "opened", isBehind: news["isBehind"] === true };
    case "event":
      return isRecord(news["event"]) && isEvent(news["event"])
        ? { kind: "event", event: news["event"] as unknown as AnyEvent }
        : undefined;
    case "failed": {
      const failure = parseFailure(news["failure"]);
      return failure && { kind: "failed", failure };
    }
    default:
      return undefined;
  }
}

function parseFailure(failure: unknown): Failure | undefined {
  if (!isRecord(failure)) return undefined;
  const { code, message, reconnect, retryAfterMs } = failure;
  if (!isText(code) || !isText(message)) return undefined;
  return {
    code,
    message,
    reconnect: reconnect === "no" || reconnect === "refresh" ? reconnect : "backoff",
    retryAfterMs: typeof retryAfterMs === "number" ? retryAfterMs : undefined,
  };
}

const COMMANDS = new Set<unknown>([
  "taken",
  "publish",
  "direct",
  "ack",
  "presence",
  "leave",
  "refresh",
]);

/** An event of topics, or a frame of a room. */
function isEvent(event: Record<string, unknown>): boolean {
  if ("frame" in event) return isRecord(event["frame"]) && typeof event["bytes"] === "number";
  return [event["id"], event["event"], event["data"]].every(
    (field) => field === undefined || isText(field),
  );
}

function isKind(value: unknown, kinds: ReadonlySet<unknown>): value is Record<string, unknown> {
  return isRecord(value) && kinds.has(value["kind"]);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
