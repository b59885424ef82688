/**
 * Owns the slots that connections take of their callers' quotas, as tags of their sockets: they
 * outlive the object's sleep. Refuses to know who the callers are.
 */
import type { QuotaObject } from "../quota.ts";
import { PAYERS_HEADER, SLOTS_HEADER } from "./headers.ts";

/** What giving slots back needs. */
export interface SlotEnv {
  readonly QUOTAS?: DurableObjectNamespace<QuotaObject>;
}

/** A slot's name for who holds it: the object that counts it, and its id there. */
export function nameSlot(quota: DurableObjectId, id: string): string {
  return `${quota.toString()}.${id}`;
}

/** The slots and payers that a request for a socket brings, decided by the Worker, as its tags. */
export function tagsOf({ headers }: Request): string[] {
  return [SLOTS_HEADER, PAYERS_HEADER].flatMap((name) => headers.get(name)?.split(",") ?? []);
}

/** Whether a socket is open that took this slot. */
export function holdsSlot(ctx: DurableObjectState, slot: string): boolean {
  return ctx.getWebSockets(slot).length > 0;
}

/** Gives back the slots of a socket that is closed. */
export function releaseSlots(ctx: DurableObjectState, env: SlotEnv, socket: WebSocket): void {
  const slots = readTags(ctx, socket).filter((tag) => tag.includes("."));
  giveBackSlots(ctx, env, slots);
}

/** Gives back slots by their names. Should this fail, they are found when they are missed. */
export function giveBackSlots(
  ctx: DurableObjectState,
  { QUOTAS }: SlotEnv,
  slots: readonly string[],
): void {
  if (QUOTAS === undefined) return;
  for (const slot of slots) ctx.waitUntil(releaseSlot(QUOTAS, slot));
}

/** A socket's tags; none where the runtime no longer knows them, and then slots are found when they are missed. */
export function readTags(ctx: DurableObjectState, socket: WebSocket): readonly string[] {
  try {
    return ctx.getTags(socket);
  } catch {
    return [];
  }
}

/** Gives one back by its name. */
export async function releaseSlot(
  quotas: DurableObjectNamespace<QuotaObject>,
  slot: string,
): Promise<void> {
  const [quota = "", id = ""] = slot.split(".");
  try {
    await quotas.get(quotas.idFromString(quota)).close(id);
  } catch {}
}
