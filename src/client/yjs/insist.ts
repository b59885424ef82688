/** Owns requests that are made until the server has said yes or no. Refuses to know what is asked. */
import { backoff } from "../connection/backoff.ts";
import { timerOf } from "../connection/timer.ts";
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import { type Asked, call } from "../http/request.ts";

/**
 * Asks for JSON, again and again while the network, the server or the application's token is in trouble.
 *
 * @throws ClientError what the server has against it; `closed` once the signal is aborted.
 */
export async function insist(
  context: Context,
  asked: Asked,
  signal: AbortSignal,
): Promise<unknown> {
  for (let failed = 0; ; failed += 1) {
    try {
      return await call(context, { ...asked, signal, attempts: Infinity });
    } catch (error) {
      const isPassing = error instanceof ClientError && error.code === "token";
      if (!isPassing || signal.aborted) throw error;
    }
    await pause(context, backoff(failed, 0, context.random()), signal);
  }
}

async function pause({ clock }: Context, ms: number, signal: AbortSignal): Promise<void> {
  const setTimer = timerOf(clock);
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (): void => {
    resolve();
  };
  setTimer(ms, end);
  signal.addEventListener("abort", end);
  await promise;
  signal.removeEventListener("abort", end);
  setTimer();
}
