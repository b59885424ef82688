/**
 * Owns one attempt at one provider's answer in a single piece. Whatever happens, the provider's
 * socket is closed when the attempt is over (L3). Refuses to know about other attempts.
 */
import { SluiceError } from "../protocol/errors.ts";
import { openScope } from "../stream/abort.ts";
import { IdleTimer } from "../stream/idle-timer.ts";
import type { AttemptContext } from "./attempt.ts";
import { readLimited } from "./read-limited.ts";
import type { ChatRequest } from "./request.ts";
import { parseAnswer } from "./unstreamed.ts";
import type { Upstream } from "./upstream.ts";
import { toUpstreamError } from "./upstream-error.ts";

/**
 * Yields one provider's whole answer, as its own JSON text, once.
 *
 * @param firstByteMs milliseconds until the body must begin: until then nothing is to be seen of an
 *   answer, however well it is going.
 * @throws SluiceError when there is none; or the signal's reason once aborted.
 */
export async function* attemptWholeAnswer(
  upstream: Upstream,
  request: ChatRequest,
  { signal, clock, limits }: AttemptContext,
  firstByteMs: number,
): AsyncGenerator<string, void, undefined> {
  using scope = openScope(signal);
  using silence = new IdleTimer(clock, firstByteMs, () => {
    scope.abort(new SluiceError("upstream_timeout"));
  });
  silence.start();
  try {
    const response = await upstream.open(request, scope.signal);
    const body: ReadableStream<Uint8Array> | null = response.body;
    if (body === null) throw new SluiceError("upstream_bad_response");
    const text = await readLimited(body, {
      maxBytes: limits.maxOutputBytes,
      signal: scope.signal,
      onRead: () => {
        silence.start(limits.idleMs);
      },
    });
    parseAnswer(text);
    yield text;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw toUpstreamError(scope.signal.aborted ? scope.signal.reason : error);
  }
}
