/**
 * Owns the meaning of one upstream event. Everything a provider may send is turned, here and only
 * here, into a chunk that strict clients accept, an end, or an error. Refuses to know about time,
 * order and dialects.
 */
import type { EventSourceMessage } from "eventsource-parser";
import { SluiceError } from "../protocol/errors.ts";
import { readUpstreamError } from "./upstream-error.ts";

/** What an answer's listeners can look at; every other field passes through untouched in `json`. */
export interface Delta {
  readonly content?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
  readonly refusal?: unknown;
  readonly tool_calls?: unknown;
  readonly annotations?: unknown;
}

interface Choice {
  readonly delta?: Delta | null;
  readonly finish_reason?: string | null;
}

export interface Chunk {
  readonly choices: readonly Choice[];
  readonly model?: unknown;
  readonly usage?: unknown;
}

/** One event of the upstream, understood. */
export type UpstreamEvent =
  | { readonly kind: "chunk"; readonly json: string; readonly chunk: Chunk }
  | { readonly kind: "done" }
  | { readonly kind: "blank" };

const DONE: UpstreamEvent = { kind: "done" };
const BLANK: UpstreamEvent = { kind: "blank" };

/**
 * Understands one event. `json` is the provider's own text unless it had to be completed.
 *
 * @throws SluiceError when the event reports an error, or is not what this API sends.
 */
export function parseChunk(event: EventSourceMessage): UpstreamEvent {
  const data = event.data.trim();
  if (data === "") return BLANK;
  if (data === "[DONE]") return DONE;
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch (error) {
    throw new SluiceError("upstream_bad_response", { cause: error });
  }
  if (!isRecord(value)) throw new SluiceError("upstream_bad_response");
  if (event.event === "error" || value["object"] === "error" || (value["error"] ?? null) !== null) {
    throw readUpstreamError(value);
  }
  const { choices } = value;
  if (isChoices(choices) && choices.some(({ finish_reason: reason }) => reason === "error")) {
    throw new SluiceError("upstream_unavailable");
  }
  if (isChoices(choices) && !("error" in value)) {
    return { kind: "chunk", json: oneLine(data), chunk: value as unknown as Chunk };
  }
  // Neither part of an answer nor its price: an error in words of its own, or a notice to nobody.
  if ((choices ?? value["usage"] ?? null) === null) {
    if (ERROR_FIELDS.some((field) => field in value)) throw readUpstreamError(value);
    return BLANK;
  }
  const known = choices ?? [];
  if (!isChoices(known)) throw new SluiceError("upstream_bad_response");
  // Usage without `choices`, and an `error` that is null: clients that validate want the one and
  // trip over the other.
  const completed = { ...pick(value, CHUNK_FIELDS), choices: known };
  return { kind: "chunk", json: JSON.stringify(completed), chunk: completed };
}

/** Fields by which an error without an `error` field gives itself away. */
const ERROR_FIELDS = ["message", "detail", "details", "code", "status", "errors", "msg"];

/** Fields of a chunk beside its choices; nothing else is passed on when it has to be completed. */
const CHUNK_FIELDS = [
  "id",
  "object",
  "created",
  "model",
  "usage",
  "system_fingerprint",
  "service_tier",
  "x_groq",
];

function pick(value: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)));
}

/** Whether the chunk shows the client anything of the answer: after it, no other provider may take over. */
export function isSpeech(chunk: Chunk): boolean {
  return chunk.choices.some(({ delta, finish_reason }) => {
    if (isText(finish_reason)) return true;
    if (delta === undefined || delta === null) return false;
    return (
      isText(delta.content) ||
      isText(delta.reasoning_content) ||
      isText(delta.reasoning) ||
      isText(delta.refusal) ||
      (Array.isArray(delta.tool_calls) && delta.tool_calls.length > 0)
    );
  });
}

/** Whether the provider says that the answer is complete. Some write an empty reason until they are. */
export function isFinish(chunk: Chunk): boolean {
  return chunk.choices.some(({ finish_reason }) => isText(finish_reason));
}

/** A non-empty string. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** A JSON object, not an array and not null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isChoices(value: unknown): value is Choice[] {
  return Array.isArray(value) && value.every(isRecord);
}

/** JSON spread over several data lines is one line again: a raw line break can stand only between tokens. */
function oneLine(json: string): string {
  return json.includes("\n") ? json.replaceAll("\n", " ") : json;
}
