/**
 * Owns who is told that an answer has ended: the operator, those who count what it held and took, and
 * the index of its chat. Refuses to know how it is written, and what becomes of it.
 *
 * Nobody waits for any of them. What the operator is told is stored with the end; none of the others is asked
 * twice: what they were not told runs out by itself.
 */
import { SluiceError } from "../../src/protocol/errors.ts";
import type { GenerationIndexObject } from "../generation-index.ts";
import { reporterFor } from "../platform/report.ts";
import { giveBackSlots, type SlotEnv } from "../platform/slots.ts";
import type { Webhooks } from "../webhook/webhooks.ts";
import type { End, GenerationContext } from "./generation.ts";
import type { GenerationRecord } from "./record.ts";
import { writeTelemetry } from "./telemetry.ts";

/** The part of the Worker's environment in which they are found. */
export interface EndedEnv extends SlotEnv {
  readonly GENERATION_INDEX: DurableObjectNamespace<GenerationIndexObject>;
  readonly ANALYTICS?: AnalyticsEngineDataset;
}

const report = reporterFor("generation");

/** Stores what the operator's receiver is told in the transaction that ends the answer, and tells all others. */
export function tellEnds(
  {
    ctx,
    env,
    webhooks,
  }: { readonly ctx: DurableObjectState; readonly env: EndedEnv; readonly webhooks: Webhooks },
  then: () => void,
): Pick<GenerationContext, "ending" | "ended"> {
  return {
    ending: (end, write) => {
      ctx.storage.transactionSync(() => {
        webhooks.tell("generation.ended", describe(end));
        write();
      });
    },
    ended: (end) => {
      writeTelemetry(end, env);
      giveBackSlots(ctx, env, end.record.slots);
      ctx.waitUntil(releaseChat(env, end));
      ctx.waitUntil(settle(end, env));
      then();
    },
  };
}

/** Nothing of what was asked and answered is told. */
function describe({ id, record, outcome, ending }: End): Readonly<Record<string, unknown>> {
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
async function settle({ record, ending }: End, { QUOTAS }: EndedEnv): Promise<void> {
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
