/**
 * Owns what becomes of the rest of a body whose request is refused: most clients write all of it before
 * they read, and a runtime that closes the connection meanwhile takes the answer away from them.
 * Refuses to know why it was refused.
 */
import { REFUSED_BODY_BYTES, REFUSED_BODY_IDLE_MS, REFUSED_BODY_MS } from "../protocol/limits.ts";
import type { Clock } from "../stream/clock.ts";
import { readPieces } from "../stream/read-pieces.ts";

/**
 * Reads what is left and drops it, up to {@link REFUSED_BODY_BYTES}; a body that says that it is longer
 * is not read at all. Never throws: the answer is known already.
 */
export async function dropBody({ body: left, headers }: Request, clock: Clock): Promise<void> {
  const body: ReadableStream<Uint8Array> | null = left;
  if (body === null || body.locked) return;
  if (Number(headers.get("content-length") ?? 0) > REFUSED_BODY_BYTES) return;
  let size = 0;
  try {
    const patience = { clock, idleMs: REFUSED_BODY_IDLE_MS, totalMs: REFUSED_BODY_MS };
    for await (const piece of readPieces(body, patience)) {
      size += piece.byteLength;
      if (size > REFUSED_BODY_BYTES) break;
    }
  } catch {
    // Its sender is too slow, or has gone.
  }
}
