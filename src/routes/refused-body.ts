/**
 * Owns what becomes of a body that nobody has read to its end: most clients write all of it before they
 * read, and a runtime that closes the connection meanwhile takes the answer away from them. Refuses to
 * know why it was not read.
 */
import {
  REFUSED_BODY_BYTES,
  REFUSED_BODY_IDLE_MS,
  REFUSED_BODY_MS,
  REFUSED_PIECE_BYTES,
} from "../protocol/limits.ts";
import type { Clock } from "../stream/clock.ts";

/**
 * Reads what is left and drops it, up to {@link REFUSED_BODY_BYTES}. Left alone are a body that says that it
 * is longer, one whose sender asks before it sends it, and one that somebody else reads. Never throws: the
 * answer is known already.
 */
export async function dropBody(request: Request, clock: Clock): Promise<void> {
  const body: ReadableStream<Uint8Array> | null = request.body;
  if (body === null || body.locked || (!request.bodyUsed && isLeftAlone(request.headers))) return;
  const reader = openReader(body);
  if (reader === undefined) return;
  let piece = new Uint8Array(REFUSED_PIECE_BYTES);
  const endAt = clock.now() + REFUSED_BODY_MS;
  let size = 0;
  let seen = -1;
  let disarm = (): void => {};
  const look = (): void => {
    const leftMs = endAt - clock.now();
    // Not waited for: who trickles would hold that up, too.
    if (size === seen || leftMs <= 0) reader.cancel().catch(() => {});
    else disarm = clock.after(Math.min(REFUSED_BODY_IDLE_MS, leftMs), look);
    seen = size;
  };
  look();
  try {
    while (size <= REFUSED_BODY_BYTES) {
      const { done, value } = await reader.read(piece);
      if (done) return;
      size += value.byteLength;
      piece = new Uint8Array(value.buffer);
    }
  } catch {
    // Its sender has gone.
  } finally {
    disarm();
    reader.releaseLock();
  }
}

/** Undefined for a body that a program has made: nobody's connection waits for its end. */
function openReader(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

function isLeftAlone(headers: Headers): boolean {
  const isAsking = headers.get("expect")?.toLowerCase() === "100-continue";
  return isAsking || Number(headers.get("content-length") ?? 0) > REFUSED_BODY_BYTES;
}
