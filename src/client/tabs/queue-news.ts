/**
 * Owns that tabs hear nothing else of a queue than what tabs say: another script may speak on the same
 * channel. Refuses to act on it.
 */
import type { QueueNews } from "../outbox/types.ts";

/** What was said of a queue; undefined for what is none of it. */
export function parseQueueNews(data: unknown): QueueNews | undefined {
  if (!isRecord(data)) return undefined;
  const { kind, id, code, message, published } = data;
  switch (kind) {
    case "added":
      return isMessage(message) ? { kind, message } : undefined;
    case "answered":
      return Array.isArray(published) && published.every(isReceipt)
        ? { kind, published: published as { id: string; seq: number }[] }
        : undefined;
    case "refused":
      return isText(id) && isText(code) && isText(message)
        ? { kind, id, code, message }
        : undefined;
    case "joined":
    case "sender":
    case "ask":
    case "here":
      return { kind };
    default:
      return undefined;
  }
}

type Message = Extract<QueueNews, { readonly kind: "added" }>["message"];

function isMessage(value: unknown): value is Message {
  if (!isRecord(value)) return false;
  const { id, order, to, event, payload } = value;
  const isAddressed = to === undefined || isText(to);
  return (
    isText(id) &&
    typeof order === "number" &&
    isAddressed &&
    isText(event) &&
    payload instanceof Uint8Array
  );
}

function isReceipt(value: unknown): boolean {
  return isRecord(value) && isText(value["id"]) && typeof value["seq"] === "number";
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
