/** Owns what the server's record says of an answer that has ended. Refuses to read the answer. */
import type { Context } from "../context.ts";
import { call } from "../http/request.ts";
import type { ChatEnd, ChatUsage } from "./types.ts";

/** What an answer cost, and why its provider stopped. */
export type AnswerFacts = Pick<ChatEnd, "usage" | "finishReason">;

/** States of answers, as the server names them. */
const STATES = ["completed", "stopped", "failed", "interrupted"] as const;

/** Asks the record. @throws ClientError when it cannot be had. */
export async function askHowItEnded(context: Context, id = ""): Promise<ChatEnd> {
  const record = (await call(context, {
    path: `/v1/chat/completions/${encodeURIComponent(id)}`,
    attempts: 2,
  })) as {
    readonly usage?: ChatUsage | null;
    readonly choices?: readonly { readonly finish_reason?: string | null }[];
    readonly generation?: {
      readonly state?: string;
      readonly error?: { readonly code?: string; readonly detail?: string } | null;
    };
  };
  const { generation, choices, usage } = record;
  const state = STATES.find((known) => known === generation?.state) ?? "failed";
  const code = generation?.error?.code ?? `generation_${state}`;
  const isWhole = state === "completed" || state === "stopped";
  return {
    state,
    finishReason: choices?.[0]?.finish_reason ?? undefined,
    usage: usage ?? undefined,
    error: isWhole
      ? undefined
      : { code, message: generation?.error?.detail ?? `The answer is ${state}.` },
  };
}
