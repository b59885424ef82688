/**
 * Owns how much of a failed response is read, and for how long. The SDK reads such bodies whole
 * before it says that a request failed, so a provider could fill memory or hold back a status that is
 * already known. Refuses to know what they say.
 */
import { MAX_ERROR_BODY_MS, MAX_UPSTREAM_ERROR_BYTES } from "../protocol/limits.ts";
import type { Clock } from "../stream/clock.ts";
import type { Fetch } from "./upstream.ts";

/** Status codes whose responses may have no body at all. */
const BODILESS = new Set([204, 205, 304]);

/** The same network, with bodies of failures cut short. */
export function cutErrorBodies(fetch: Fetch, clock: Clock): Fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (response.ok) return response;
    const { status, headers } = response;
    const text = await readPrefix(response, clock);
    return new Response(BODILESS.has(status) ? null : text, { status, headers: keep(headers) });
  };
}

/** What is known of the body after a moment. */
async function readPrefix(response: Response, clock: Clock): Promise<string> {
  const body: ReadableStream<Uint8Array> | null = response.body;
  if (body === null) return "";
  const reader = body.getReader();
  const disarm = clock.after(MAX_ERROR_BODY_MS, () => {
    void reader.cancel().catch(() => {});
  });
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let size = 0; size < MAX_UPSTREAM_ERROR_BYTES;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.byteLength;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // The status says enough.
  } finally {
    disarm();
    void reader.cancel().catch(() => {});
  }
  return text;
}

/** The body is no longer the one that these describe. */
function keep(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of ["content-length", "content-encoding", "transfer-encoding"]) kept.delete(name);
  return kept;
}
