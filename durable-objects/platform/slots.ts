/**
 * Owns the slots that connections take of their callers' quotas, as tags of their sockets: they
 * outlive the object's sleep. Refuses to know who the callers are.
 */
import type { QuotaObject } from "../quota.ts";
import { SLOTS_HEADER } from "./headers.ts";

/** What giving slots back needs. */
export interface SlotEnv {
  readonly QUOTAS?: DurableObjectNamespace<QuotaObject>;
}

/** A slot's name for who holds it: the object that counts it, and its id there. */
export function nameSlot(quota: DurableObjectId, id: string): string {
  return `${quota.toString()}.${id}`;
}

/** The slots that a request for a socket brings, decided by the Worker. */
export function slotsOf(request: Request): string[] {
  const text = request.headers.get(SLOTS_HEADER) ?? "";
  return text === "" ? [] : text.split(",");
}

/** Whether a socket is open that took this slot. */
export function holdsSlot(ctx: DurableObjectState, slot: string): boolean {
  return ctx.getWebSockets(slot).length > 0;
}

/** Gives back the slots of a socket that is closed. Should this fail, they are found when they are missed. */
export function releaseSlots(
  ctx: DurableObjectState,
  { QUOTAS }: SlotEnv,
  socket: WebSocket,
): void {
  if (QUOTAS === undefined) return;
  for (const slot of ctx.getTags(socket)) ctx.waitUntil(releaseSlot(QUOTAS, slot));
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
