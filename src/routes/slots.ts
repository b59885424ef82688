/**
 * Owns the slots that a request takes of its callers: for connections, and for answers being written.
 * Refuses to know how they are counted, and what units of quotas cost.
 */
import { SLOTS_HEADER } from "../../durable-objects/platform/headers.ts";
import { nameSlot, releaseSlot } from "../../durable-objects/platform/slots.ts";
import type { Slot } from "../../durable-objects/quota/slots.ts";
import { SluiceError } from "../protocol/errors.ts";
import { GENERATION_RETRY_S, SLOT_RETRY_S } from "../protocol/limits.ts";
import type { AppContext } from "./app-env.ts";
import { payersOf } from "./quota.ts";

/** What slots are counted in, for the headers. */
const UNIT = "concurrent-requests";

/** How it is said that there are as many as there may be. */
const FULL = {
  connections: { code: "quota_exceeded", retryS: SLOT_RETRY_S, what: "connections may be open" },
  generations: {
    code: "too_many_generations",
    retryS: GENERATION_RETRY_S,
    what: "answers may be written",
  },
} as const;

/**
 * Opens a connection that takes a slot of all who pay, given back by the object that holds it, or at
 * once when it opens none.
 *
 * @param open gets the headers that tell the object; undefined means that nothing was opened.
 * @throws SluiceError `quota_exceeded`, and what `open` throws.
 */
export async function openCounted<T>(
  c: AppContext,
  holder: Pick<Slot, "kind" | "name">,
  open: (headers: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> {
  const slots = await takeSlots(c, { pool: "connections", ...holder, until: null });
  if (slots.length === 0) return await open({});
  let opened: T | undefined;
  try {
    opened = await open(slotsHeader(slots));
    return opened;
  } finally {
    if (opened === undefined) releaseSlots(c, slots);
  }
}

/**
 * Takes a slot of all who pay for what the Worker itself sends: nobody else could be asked for it.
 *
 * @param forMs milliseconds after which it is free in any case, should the Worker die.
 * @returns what gives it back, once.
 * @throws SluiceError `quota_exceeded`.
 */
export async function holdConnection(c: AppContext, forMs: number): Promise<() => void> {
  const until = c.var.deps.clock.now() + forMs;
  const ending = Promise.withResolvers<void>();
  // Else what is left to do might not be done once the client has gone, which may be while this is held.
  c.executionCtx.waitUntil(ending.promise);
  const wish = { pool: "connections", kind: "answer", name: "", until } as const;
  const slots = await takeSlots(c, wish).catch((thrown: unknown) => {
    ending.resolve();
    throw thrown;
  });
  if (slots.length === 0) ending.resolve();
  return () => {
    releaseSlots(c, slots);
    ending.resolve();
  };
}

/** A slot that is wanted; one without a group is a group of its own. */
export type SlotWish = Omit<Slot, "id" | "group"> & Partial<Pick<Slot, "group">>;

/**
 * Takes a slot of each payer; none where there is no limit.
 *
 * @throws SluiceError `quota_exceeded`, `too_many_generations`.
 */
export async function takeSlots(c: AppContext, wish: SlotWish): Promise<readonly string[]> {
  const id = c.var.deps.newId();
  const slot = { id, group: id, ...wish };
  const { code, retryS, what } = FULL[slot.pool];
  const taken = await Promise.allSettled(
    payersOf(c).map(async ({ kind, quotas: { most }, id: quota, stub }) => {
      const limit = most.get(slot.pool);
      if (limit === undefined) return [];
      if (await stub.open(slot, limit)) return [nameSlot(quota, id)];
      const policy = `${kind}-${slot.pool}`;
      const resetAt = c.var.deps.clock.now() + retryS * 1000;
      const shown = { policy, limit, remaining: 0, resetAt };
      c.var.shownQuotas.set(policy, { ...shown, unit: UNIT, windowMs: undefined });
      throw new SluiceError(code, {
        detail: `At most ${limit} ${what} at once for this ${kind}.`,
        members: { quota: policy },
        retryAfter: retryS,
      });
    }),
  );
  const slots = taken.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  const failed = taken.find((one) => one.status === "rejected");
  if (failed === undefined) return slots;
  releaseSlots(c, slots);
  throw failed.reason;
}

/** The slots of a connection, as headers that tell the object which holds it. */
export function slotsHeader(slots: readonly string[]): Readonly<Record<string, string>> {
  return slots.length === 0 ? {} : { [SLOTS_HEADER]: slots.join(",") };
}

/** Gives slots back; the answer does not wait for it. */
export function releaseSlots(c: AppContext, slots: readonly string[]): void {
  const { QUOTAS } = c.env;
  if (QUOTAS === undefined) return;
  for (const slot of slots) c.executionCtx.waitUntil(releaseSlot(QUOTAS, slot));
}
