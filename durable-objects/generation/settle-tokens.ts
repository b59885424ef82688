/**
 * Owns telling the quotas of an answer's callers what it took of the tokens that were held for it.
 * Refuses to know how they are kept.
 */
import type { Ending } from "../../src/llm/ending.ts";
import { SluiceError } from "../../src/protocol/errors.ts";
import { reporterFor } from "../platform/report.ts";
import type { SlotEnv } from "../platform/slots.ts";
import type { GenerationRecord } from "./record.ts";

/** Counts what an answer took. Should this fail, what was held for it stays counted. */
export async function settleTokens(
  { QUOTAS }: SlotEnv,
  { reservation }: GenerationRecord,
  { usage, firstChunkMs }: Ending,
): Promise<void> {
  if (reservation === null || QUOTAS === undefined) return;
  // Of an answer without a word nobody knows that anything was charged.
  const isFree = usage?.estimated === true && usage.completion_tokens === 0;
  const tokens = isFree && firstChunkMs === null ? 0 : (usage?.total_tokens ?? 0);
  const settled = await Promise.allSettled(
    reservation.quotas.map(
      async (id) => await QUOTAS.get(QUOTAS.idFromString(id)).settle(reservation.name, tokens),
    ),
  );
  for (const one of settled) {
    if (one.status === "fulfilled") continue;
    reporterFor("generation")(new SluiceError("internal", { cause: one.reason }));
  }
}
