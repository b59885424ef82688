/**
 * Owns what the operator learns of each generation: one line in the log, and one data point where a
 * dataset is bound, by OpenTelemetry's names. Nothing of what was asked and answered is in it (I9).
 */
import type { End } from "./generation.ts";

/** Writes both. */
export function writeTelemetry(
  { id, record, outcome, ending }: End,
  { ANALYTICS }: { readonly ANALYTICS?: AnalyticsEngineDataset },
): void {
  const { usage, finishReason, model, firstChunkMs, durationMs, error } = ending;
  const input = usage?.prompt_tokens ?? 0;
  const output = usage?.completion_tokens ?? 0;
  const line = {
    level: outcome === "failed" || outcome === "interrupted" ? "error" : "info",
    event: "gen_ai.generation",
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": record.model,
    ...(model === null ? {} : { "gen_ai.response.model": model }),
    "gen_ai.response.id": id,
    "gen_ai.response.finish_reasons": finishReason === null ? [] : [finishReason],
    "gen_ai.usage.input_tokens": input,
    "gen_ai.usage.output_tokens": output,
    "gen_ai.response.time_to_first_chunk": inSeconds(firstChunkMs),
    "gen_ai.client.operation.duration": inSeconds(durationMs),
    ...(error === null ? {} : { "error.type": error.code }),
    "sluice.outcome": outcome,
    "sluice.usage.estimated": usage?.estimated === true,
  };
  // oxlint-disable-next-line no-console -- the platform's log is the console
  console.log(JSON.stringify(line));
  ANALYTICS?.writeDataPoint({
    indexes: [record.model.slice(0, MAX_INDEX_CHARS)],
    blobs: [outcome, finishReason ?? "", error?.code ?? "", model ?? ""],
    doubles: [input, output, firstChunkMs ?? -1, durationMs],
  });
}

/** Analytics Engine takes 96 bytes of an index. */
const MAX_INDEX_CHARS = 96;

function inSeconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}
