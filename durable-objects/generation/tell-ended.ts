/**
 * Owns who is told that an answer has ended: the operator, those who count what it held and took, and
 * the index of its chat. Refuses to know how it is written, and what becomes of it.
 *
 * Nobody waits for any of them, and none is asked twice: what they were not told runs out by itself.
 */
import type { Ending, Outcome } from "../../src/llm/ending.ts";
import { SluiceError } from "../../src/protocol/errors.ts";
import type { GenerationIndexObject } from "../generation-index.ts";
import { reporterFor } from "../platform/report.ts";
import { giveBackSlots, type SlotEnv } from "../platform/slots.ts";
import type { Webhooks } from "../webhook/webhooks.ts";
import type { GenerationRecord } from "./record.ts";
import { writeTelemetry } from "./telemetry.ts";

/** The part of the Worker's environment in which they are found. */
export interface EndedEnv extends SlotEnv {
  readonly GENERATION_INDEX: DurableObjectNamespace<GenerationIndexObject>;
  readonly ANALYTICS?: AnalyticsEngineDataset;
}

/** An answer that has ended. */
interface Ended {
  readonly id: string;
  readonly record: GenerationRecord;
  readonly outcome: Outcome;
  readonly ending: Ending;
}

const report = reporterFor("generation");

/** Tells all of them; what is stored is stored in this turn. */
export function tellEnded(
  ended: Ended,
  {
    ctx,
    env,
    webhooks,
  }: { readonly ctx: DurableObjectState; readonly env: EndedEnv; readonly webhooks: Webhooks },
): void {
  writeTelemetry(ended, env);
  giveBackSlots(ctx, env, ended.record.slots);
  ctx.waitUntil(releaseChat(env, ended));
  ctx.waitUntil(settle(ended, env));
  // Last: it is written down, which may fail.
  webhooks.tell("generation.ended", describe(ended));
}

/** Nothing of what was asked and answered is told. */
function describe({ id, record, outcome, ending }: Ended): Readonly<Record<string, unknown>> {
  const { model, owner, chat } = record;
  return {
    generation: id,
    outcome,
    model,
    responseModel: ending.model,
    owner,
    chat,
    finishReason: ending.finishReason,
    usage: ending.usage,
    error: ending.error?.code ?? null,
    durationMs: ending.durationMs,
  };
}

/** Tells the index that the chat's answer is no longer written. Should this fail, the entry expires. */
export async function releaseChat(
  { GENERATION_INDEX }: EndedEnv,
  {
    id,
    record,
  }: { readonly id: string; readonly record: Pick<GenerationRecord, "chat" | "owner"> },
): Promise<void> {
  if (record.chat === null) return;
  try {
    await GENERATION_INDEX.getByName(record.owner).release(id);
  } catch (cause) {
    report(new SluiceError("internal", { cause }));
  }
}

/** Counts what it took. Should this fail, what is held for it is settled when its time is over. */
async function settle({ record, ending }: Ended, { QUOTAS }: EndedEnv): Promise<void> {
  const { reservation } = record;
  const { usage, firstChunkMs } = ending;
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
    if (one.status === "rejected") report(new SluiceError("internal", { cause: one.reason }));
  }
}
