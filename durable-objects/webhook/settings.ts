/**
 * Owns what the operator may set for webhooks: where they go, how they are signed, what they tell.
 * Refuses to know who sends them.
 */
import * as v from "valibot";
import { SluiceError } from "../../src/protocol/errors.ts";
import { MIN_WEBHOOK_SECRET_BYTES } from "../../src/protocol/limits.ts";
import { expecting, list, readVariables, text, url } from "../../src/protocol/variables.ts";

const EVENT_TYPES = ["room.occupied", "room.vacated", "topic.closed", "generation.ended"] as const;

/** What a webhook can tell. */
export type WebhookType = (typeof EVENT_TYPES)[number];

/** The operator's settings for webhooks. */
export interface WebhookSettings {
  readonly url: string;
  /** The keys to sign with; several while one takes the other's place. */
  readonly keys: readonly Uint8Array[];
  readonly types: ReadonlySet<string>;
}

const variables = v.object({
  WEBHOOK_URL: v.pipe(
    url,
    v.optional(v.pipe(v.string(), expecting(isSafe, "https without credentials, or this machine"))),
  ),
  WEBHOOK_SECRET: text,
  WEBHOOK_EVENTS: v.pipe(list, v.array(v.picklist(EVENT_TYPES))),
});

/**
 * Reads the settings; undefined when there is nobody to tell.
 *
 * @throws SluiceError `misconfigured`, naming the variable and never its value.
 */
export function readWebhookSettings(
  env: Readonly<Record<string, unknown>>,
): WebhookSettings | undefined {
  const vars = readVariables(variables, env);
  if (vars.WEBHOOK_URL === undefined) return undefined;
  const keys = (vars.WEBHOOK_SECRET ?? "").split(/\s+/).map(decodeKey);
  const events = vars.WEBHOOK_EVENTS;
  return {
    url: vars.WEBHOOK_URL,
    keys,
    types: new Set(events.length === 0 ? EVENT_TYPES : events),
  };
}

/** Nothing travels in the open, but on this machine. */
function isSafe(address: string): boolean {
  const parsed = URL.parse(address);
  if (parsed === null || parsed.username !== "" || parsed.password !== "") return false;
  return (
    parsed.protocol === "https:" || /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(parsed.hostname)
  );
}

/** `whsec_` and base64, as Standard Webhooks writes keys. */
function decodeKey(secret: string): Uint8Array {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  let key = new Uint8Array();
  try {
    key = Uint8Array.from(atob(base64 ?? ""), (character) => character.charCodeAt(0));
  } catch {}
  if (key.byteLength >= MIN_WEBHOOK_SECRET_BYTES) return key;
  throw new SluiceError("misconfigured", {
    detail:
      "The variable WEBHOOK_SECRET is not valid: expected whsec_ and " +
      `${MIN_WEBHOOK_SECRET_BYTES} bytes or more as base64.`,
  });
}
