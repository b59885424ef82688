/**
 * Owns what whoever creates a topic may say about it, and its stored form. Refuses to know what is
 * done with it.
 */
import * as v from "valibot";
import { formatOf, isContentType } from "../../src/protocol/content-type.ts";
import { SluiceError } from "../../src/protocol/errors.ts";
import { DAY_MS } from "../../src/protocol/limits.ts";
import type { Retention } from "../log/retention.ts";

/** What happens to a reader who does not keep up. */
export type TopicLaggards = "replay" | "disconnect" | { readonly latest: string };

/** Where a fork left its source. */
export interface ForkPoint {
  readonly topic: string;
  readonly epoch: string;
  readonly seq: number;
  /** Bytes, or messages of JSON, that were taken from what follows. */
  readonly beyond: number;
  /** The fork's own name, under which its source knows it. */
  readonly as: string;
}

/** A topic's settings, fixed when it is created. */
export interface TopicSettings {
  readonly contentType: string;
  readonly retention: Retention;
  /** Milliseconds without a read or a write after which the topic is deleted. */
  readonly ttlMs?: number | undefined;
  /** When the topic is deleted, in milliseconds since 1970. */
  readonly expiresAt?: number | undefined;
  readonly laggards: TopicLaggards;
  readonly forkedFrom?: ForkPoint | undefined;
}

/** A busy topic of small events for some hours, a quiet one for a month. */
const DEFAULT_RETENTION = { messages: 100_000, bytes: 256 * 1024 * 1024, ageMs: 30 * DAY_MS };

const positive = v.pipe(v.number(), v.integer(), v.minValue(1));
/** A limit that is null does not bound. */
const limit = (fallback: number) => v.optional(v.nullable(positive), fallback);

const retentionSchema = v.strictObject({
  messages: limit(DEFAULT_RETENTION.messages),
  bytes: limit(DEFAULT_RETENTION.bytes),
  ageMs: limit(DEFAULT_RETENTION.ageMs),
});

const requestSchema = v.strictObject({
  contentType: v.optional(v.pipe(v.string(), v.check(isContentType)), "application/json"),
  retention: v.optional(retentionSchema, {}),
  ttlMs: v.optional(positive),
  expiresAt: v.optional(positive),
  laggards: v.optional(
    v.union([
      v.picklist(["replay", "disconnect"]),
      v.strictObject({ latest: v.pipe(v.string(), v.minLength(1), v.maxLength(128)) }),
    ]),
    "replay",
  ),
});

/**
 * The settings that a request body asks for, completed with the defaults.
 *
 * @throws SluiceError `invalid_request`, naming the field.
 */
export function parseTopicSettings(body: unknown): TopicSettings {
  const result = v.safeParse(requestSchema, body);
  if (!result.success) {
    const path = v.getDotPath(result.issues[0]);
    throw new SluiceError("invalid_request", {
      detail: "These are no settings of a topic.",
      ...(path === null ? {} : { param: path }),
    });
  }
  const { contentType, retention, ttlMs, expiresAt, laggards } = result.output;
  if (typeof laggards === "object" && formatOf(contentType) !== "json") {
    throw new SluiceError("invalid_request", {
      detail: "Only JSON has a field by which one value replaces another.",
      param: "laggards",
    });
  }
  if (ttlMs !== undefined && expiresAt !== undefined) {
    throw new SluiceError("invalid_request", {
      detail: "Give ttlMs or expiresAt, not both.",
      param: "expiresAt",
    });
  }
  return {
    contentType,
    retention: {
      ...(retention.messages === null ? {} : { maxEntries: retention.messages }),
      ...(retention.bytes === null ? {} : { maxBytes: retention.bytes }),
      ...(retention.ageMs === null ? {} : { maxAgeMs: retention.ageMs }),
    },
    ttlMs,
    expiresAt,
    laggards,
  };
}

/** The settings of a topic that comes into being with its first event. */
export function defaultSettings(contentType: string): TopicSettings {
  return parseTopicSettings({ contentType });
}

/** One text for equal settings, whatever the order in which they were given. */
export function encodeSettings(settings: TopicSettings): string {
  const { contentType, retention, ttlMs, expiresAt, laggards, forkedFrom } = settings;
  const { maxEntries, maxBytes, maxAgeMs } = retention;
  return JSON.stringify({
    contentType,
    retention: { maxEntries, maxBytes, maxAgeMs },
    ttlMs,
    expiresAt,
    laggards,
    forkedFrom,
  });
}

/** Reads {@link encodeSettings} back. */
export function decodeSettings(text: string): TopicSettings {
  // Written by the function above and nobody else.
  return JSON.parse(text) as TopicSettings;
}
