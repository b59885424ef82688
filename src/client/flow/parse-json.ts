/** Owns reading an event's data as JSON. Refuses to know what it means. */
import { ClientError } from "../errors.ts";

/** @throws ClientError `bad_answer` for what is no JSON. */
export function parseJson(data: string): unknown {
  try {
    return JSON.parse(data) as unknown;
  } catch {
    throw new ClientError("bad_answer", "The event is no JSON.");
  }
}
