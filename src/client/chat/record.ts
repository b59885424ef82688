/** Owns what the server's record says of an answer that has ended. Refuses to read the answer. */
import type { Context } from "../context.ts";
import { call } from "../http/request.ts";
import type { ChatEnd, ChatUsage } from "./types.ts";

/** Where the server has an answer. */
export function pathOf(id = ""): string {
  return `/v1/chat/completions/${encodeURIComponent(id)}`;
}

/** Asks the record. @throws ClientError when it cannot be had. */
export async function askHowItEnded(context: Context, id: string | undefined): Promise<ChatEnd> {
  const record = (await call(context, { path: pathOf(id), attempts: 2 })) as {
    readonly usage?: ChatUsage | null;
    readonly choices?: readonly { readonly finish_reason?: string | null }[];
    readonly generation: {
      readonly state: ChatEnd["state"];
      readonly error: { readonly code: string; readonly detail: string } | null;
    };
  };
  const { state, error } = record.generation;
  const isWhole = state === "completed" || state === "stopped";
  return {
    state,
    finishReason: record.choices?.[0]?.finish_reason ?? undefined,
    usage: record.usage ?? undefined,
    error: isWhole
      ? undefined
      : { code: error?.code ?? `generation_${state}`, message: error?.detail ?? state },
  };
}
