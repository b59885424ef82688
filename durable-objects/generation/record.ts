/**
 * Owns what a generation writes down about itself when it begins. Refuses to know the answer and its end.
 */
import * as v from "valibot";

const policySchema = v.variant("kind", [
  v.object({ kind: v.literal("continue") }),
  v.object({ kind: v.literal("cancel") }),
  v.object({ kind: v.literal("grace"), seconds: v.number() }),
]);

const recordSchema = v.object({
  /** Who may see and stop it. */
  owner: v.string(),
  /** Of the request, so that a repeated one is told from another with the same key. */
  fingerprint: v.string(),
  model: v.string(),
  /** Milliseconds since 1970. */
  startedAt: v.number(),
  whenAbandoned: policySchema,
  /** Whether the caller asked for a chunk with the usage. */
  includeUsage: v.boolean(),
  /** The caller's own labels, as JSON. */
  metadata: v.nullable(v.string()),
  /** The generation that this one follows on request. */
  follows: v.nullable(v.string()),
  /** Entries at the log's beginning that say again what the followed one had said. */
  said: v.optional(v.number(), 0),
  /** The chat that it is a turn of. */
  chat: v.nullable(v.string()),
  /** What the message is called in that chat; null for the generation's own id. */
  messageId: v.nullable(v.string()),
  /** The slots that it takes of its callers' while it is written. */
  slots: v.optional(v.array(v.string()), []),
  /** For estimates: characters of the prompt. */
  promptChars: v.number(),
  /** The tokens that are held for it, and the objects that count them. */
  reservation: v.optional(
    v.nullable(v.object({ name: v.string(), quotas: v.array(v.string()) })),
    null,
  ),
});

/** What a generation is. */
export type GenerationRecord = v.InferOutput<typeof recordSchema>;

/** Reads a record back. */
export function parseRecord(json: string): GenerationRecord {
  return v.parse(recordSchema, JSON.parse(json));
}
