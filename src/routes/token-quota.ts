/**
 * Owns the tokens that an answer costs its callers: held before a provider is asked, settled when it
 * is known what it took. Refuses to know how they are kept.
 */
import type { Chunk } from "../llm/chunk.ts";
import type { AnswerChunk } from "../llm/progress.ts";
import type { ChatRequest } from "../llm/request.ts";
import { estimateTokens, Tally, type Usage } from "../llm/tally.ts";
import {
  ANSWER_OVER_FACTOR,
  MAX_RESERVED_TOKENS,
  RESERVATION_GRACE_MS,
  RESERVED_TOKENS,
} from "../protocol/limits.ts";
import { operate } from "../stream/closing.ts";
import type { AppContext } from "./app-env.ts";
import { exceeded, payersOf, show } from "./quota.ts";
import { releaseSlots, type SlotWish, takeSlots } from "./slots.ts";

/** Tokens that are held under a name, and who holds them. */
export interface Reservation {
  readonly name: string;
  /** Ids of the objects that count, as text. */
  readonly quotas: string[];
}

/**
 * Holds what an answer will probably take: its prompt, estimated, and what the request allows for the
 * answer. Callers that have anything left are served, so they can pass their quota by one answer, and
 * by what answers take beyond what was held for them.
 *
 * @throws SluiceError `quota_exceeded`.
 */
async function reserveTokens(c: AppContext, request: ChatRequest): Promise<Reservation> {
  const name = c.var.deps.newId();
  const prompt = estimateTokens(promptChars(request));
  const allowed = allowedTokens(request);
  const reserving = {
    units: prompt + allowed,
    // An answer that nobody tells the end of: not free, and not all that it might have been.
    expected: prompt + Math.min(allowed, RESERVED_TOKENS),
    until: c.var.deps.clock.now() + c.var.config.answer.totalMs + RESERVATION_GRACE_MS,
  };
  const quotas: string[] = [];
  const reserved = await Promise.allSettled(
    payersOf(c).map(async (payer) => {
      const limit = payer.quotas.limits.get("tokens");
      if (limit === undefined) return;
      const verdict = await payer.stub.reserve(name, { ...limit, ...reserving });
      for (const standing of verdict.ok ? verdict.grants : [verdict.refused]) {
        show(c, payer, standing);
      }
      if (!verdict.ok) throw exceeded(c, payer, verdict.refused);
      quotas.push(payer.id.toString());
    }),
  );
  const failed = reserved.find((one) => one.status === "rejected");
  if (failed === undefined) return { name, quotas };
  settleTokens(c, { name, quotas }, 0);
  throw failed.reason;
}

/** What an answer holds of its callers' quotas while it is written. */
interface Held {
  readonly reservation: Reservation;
  /** Slots of the connection to it. */
  readonly connection: readonly string[];
  /** Its own slots among the answers that are being written. */
  readonly writing: readonly string[];
}

/**
 * Holds tokens for an answer, a connection to it and its place among those being written: all or nothing.
 *
 * @throws SluiceError `quota_exceeded`, `too_many_generations`.
 */
export async function reserveAnswer(
  c: AppContext,
  request: ChatRequest,
  wish: Omit<SlotWish, "pool">,
): Promise<Held> {
  const { group: _counted, ...alone } = wish;
  const [reserved, connection, writing] = await Promise.allSettled([
    reserveTokens(c, request),
    takeSlots(c, { ...alone, pool: "connections" }),
    takeSlots(c, { ...wish, pool: "generations" }),
  ]);
  if (
    reserved.status === "fulfilled" &&
    connection.status === "fulfilled" &&
    writing.status === "fulfilled"
  ) {
    return { reservation: reserved.value, connection: connection.value, writing: writing.value };
  }
  if (reserved.status === "fulfilled") settleTokens(c, reserved.value, 0);
  for (const taken of [connection, writing]) {
    if (taken.status === "fulfilled") releaseSlots(c, taken.value);
  }
  const failed = [reserved, connection, writing].find((one) => one.status === "rejected");
  throw failed?.reason;
}

/** Counts what an answer took instead of what was held for it; nothing waits for it. */
export function settleTokens(c: AppContext, { name, quotas }: Reservation, tokens: number): void {
  const { QUOTAS } = c.env;
  if (QUOTAS === undefined) return;
  for (const id of quotas) {
    const settling = QUOTAS.get(QUOTAS.idFromString(id)).settle(name, tokens);
    // Should this fail, it is settled at what was to be expected, when its time is over.
    c.executionCtx.waitUntil(settling.catch(() => {}));
  }
}

/** An answer that nobody stores, and what it holds of its callers' quotas while it is written. */
export interface Meter {
  /** Counts the answer that streams through; settled when it ends, however it does. */
  stream(
    batches: AsyncIterable<readonly AnswerChunk[]>,
  ): AsyncIterableIterator<readonly AnswerChunk[]>;
  /** Settles with the whole answer's JSON; without one, nothing was used. */
  settle(json?: string): void;
}

/**
 * Holds for a direct answer what {@link reserveAnswer} does.
 *
 * @throws SluiceError `quota_exceeded`, `too_many_generations`.
 */
export async function openMeter(c: AppContext, request: ChatRequest): Promise<Meter> {
  const { deps, config } = c.var;
  const until = deps.clock.now() + ANSWER_OVER_FACTOR * config.answer.totalMs;
  const slot = { kind: "answer", name: "", until } as const;
  const ending = Promise.withResolvers<void>();
  // Else what is left to do might not be done once the client has gone, which may be while this is held.
  c.executionCtx.waitUntil(ending.promise);
  const held = await reserveAnswer(c, request, slot).catch((thrown: unknown) => {
    ending.resolve();
    throw thrown;
  });
  const slots = [...held.connection, ...held.writing];
  if (slots.length === 0 && held.reservation.quotas.length === 0) ending.resolve();
  const close = (tokens: number): void => {
    releaseSlots(c, slots);
    settleTokens(c, held.reservation, tokens);
    ending.resolve();
  };
  return {
    stream: (batches) =>
      operate(batches, async function* (source) {
        const tally = new Tally();
        try {
          await using iterator = source;
          for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
            for (const { chunk } of next.value) tally.add(chunk);
            yield next.value;
          }
        } finally {
          close(tally.isSilent ? 0 : tally.settle(promptChars(request)).total_tokens);
        }
      }),
    settle: (json) => {
      close(json === undefined ? 0 : usageOf(json, request).total_tokens);
    },
  };
}

function usageOf(json: string, request: ChatRequest): Usage {
  const tally = new Tally();
  const { choices, ...rest } = JSON.parse(json) as { readonly choices?: readonly unknown[] };
  const said = (choices ?? []).map((choice) => ({
    delta: (choice as { readonly message?: unknown } | null)?.message,
  }));
  tally.add({ ...rest, choices: said } as unknown as Chunk);
  return tally.settle(promptChars(request));
}

function promptChars({ messages }: ChatRequest): number {
  return JSON.stringify(messages).length;
}

function allowedTokens(request: ChatRequest): number {
  const allowed = request["max_completion_tokens"] ?? request["max_tokens"];
  return typeof allowed === "number" ? Math.min(allowed, MAX_RESERVED_TOKENS) : RESERVED_TOKENS;
}
