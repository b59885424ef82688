/**
 * Owns what a request costs its callers, which are its token's subject and its address: each has
 * quotas of its own. Refuses to know how they are kept.
 */
import type { CounterName, Limit, Standing } from "../../durable-objects/quota/counters.ts";
import type { Pool, Slot } from "../../durable-objects/quota/slots.ts";
import { PAYERS_HEADER, SLOTS_HEADER } from "../../durable-objects/platform/headers.ts";
import { nameSlot, releaseSlot } from "../../durable-objects/platform/slots.ts";
import { encodePayer } from "../../durable-objects/quota/post-paid.ts";
import type { QuotaObject } from "../../durable-objects/quota.ts";
import { describeError, type ErrorCode, SluiceError } from "../protocol/errors.ts";
import {
  DAY_MS,
  GENERATION_RETRY_S,
  MAX_TOPICS_PER_STREAM,
  SLOT_RETRY_S,
} from "../protocol/limits.ts";
import { networkOf } from "../quota/address.ts";
import { describeRateLimits, secondsUntil, type Shown } from "../quota/headers.ts";
import type { Quotas } from "../quota/settings.ts";
import type { AppContext } from "./app-env.ts";

/** One of those who pay for a request. */
export interface Payer {
  readonly kind: "subject" | "address";
  /** Tells payers apart. */
  readonly key: string;
  readonly quotas: Quotas;
  readonly id: DurableObjectId;
  readonly stub: DurableObjectStub<QuotaObject>;
}

/** What quotas count if not requests. */
const UNITS: Readonly<Record<CounterName | Pool, string | undefined>> = {
  requests: undefined,
  publishes: "messages",
  bytes: "content-bytes",
  tokens: "tokens",
  names: "names",
  connections: "concurrent-requests",
  generations: "concurrent-requests",
};

/** How it is said that there are as many as there may be. */
const FULL = {
  connections: { code: "quota_exceeded", retryS: SLOT_RETRY_S, what: "connections may be open" },
  generations: {
    code: "too_many_generations",
    retryS: GENERATION_RETRY_S,
    what: "answers may be written",
  },
} as const;

/** Tells on every answer how the quotas that were touched by its request stand. */
export async function showQuotas(c: AppContext, next: () => Promise<void>): Promise<void> {
  c.set("shownQuotas", new Map());
  await next();
  const shown = [...c.var.shownQuotas.values()];
  if (shown.length === 0 || c.res.status === 101) return;
  const { policy, limits } = describeRateLimits(shown, c.var.deps.clock.now());
  c.res.headers.set("ratelimit-policy", policy);
  c.res.headers.set("ratelimit", limits);
}

/** Who pays for the request: nobody, where no quotas are kept. */
export function payersOf(c: AppContext): readonly Payer[] {
  const { QUOTAS } = c.env;
  if (QUOTAS === undefined) return [];
  const { principal, config } = c.var;
  const address = c.req.header("cf-connecting-ip");
  const payer = (kind: Payer["kind"], name: string): Payer => {
    const key = `${kind}:${name}`;
    const id = QUOTAS.idFromName(key);
    return { kind, key, quotas: config.quotas[kind], id, stub: QUOTAS.get(id) };
  };
  return [
    ...(principal.kind === "subject" ? [payer("subject", principal.subject)] : []),
    ...(principal.kind === "local" ? [payer("subject", "")] : []),
    ...(address === undefined ? [] : [payer("address", networkOf(address))]),
  ];
}

/** A room, a topic or a stored answer in a path. */
const NAMED = /^\/(?:v1\/(?:rooms|topics|stream|chat\/completions)|api\/chat)\/[^/]+/;

/**
 * Counts the request, and the names that it turns to, if they are new here.
 *
 * @throws SluiceError `quota_exceeded`.
 */
export async function countRequest(c: AppContext): Promise<void> {
  const [named] = NAMED.exec(c.req.path) ?? [];
  const topics = c.req.queries("topic")?.slice(0, MAX_TOPICS_PER_STREAM) ?? [];
  const generation = c.req.query("generation");
  const names = [
    ...(named === undefined ? [] : [named]),
    ...topics.map(nameTopic),
    ...(generation === undefined ? [] : [`/v1/chat/completions/${generation}`]),
  ];
  await spend(c, { requests: 1 }, names);
}

/**
 * Counts topics that a request turns to besides those that its address names, and what it does there.
 *
 * @throws SluiceError `quota_exceeded`.
 */
export async function countTopics(
  c: AppContext,
  topics: Iterable<string>,
  units: Partial<Record<CounterName, number>> = {},
): Promise<void> {
  await spend(c, units, [...topics].map(nameTopic));
}

/** As {@link NAMED} finds it in a path. */
function nameTopic(topic: string): string {
  return `/v1/topics/${topic}`;
}

/**
 * Takes units of quotas from all who pay, before what they are for is done. What one of them refuses
 * costs the others no more than the request: many subjects share an address.
 *
 * @throws SluiceError `quota_exceeded`.
 */
export async function spend(
  c: AppContext,
  units: Partial<Record<CounterName, number>>,
  names: readonly string[] = [],
): Promise<void> {
  const { ledger } = c.var;
  const verdicts = await Promise.all(
    payersOf(c).map(async (payer) => {
      const { key, quotas, stub } = payer;
      const isNaming = names.length > 0 && quotas.limits.has("names");
      const wanted = isNaming ? { ...units, names: ledger.countNew(key, names) } : units;
      const spendings = [...quotas.limits.values()].flatMap((limit) => {
        const count = wanted[limit.counter] ?? 0;
        return count > 0 ? [{ ...limit, units: count }] : [];
      });
      if (spendings.length === 0) return { key, isNaming, spent: [] };
      const { refused, standings } = await ledger.spend(
        key,
        spendings,
        async (wants) => await stub.take(wants),
      );
      for (const standing of standings) show(c, payer, standing);
      if (refused === undefined) return { key, isNaming, spent: spendings };
      return { key, isNaming, spent: [], refusal: exceeded(c, payer, refused) };
    }),
  );
  const refusal = verdicts.find((verdict) => verdict.refusal !== undefined)?.refusal;
  for (const { key, isNaming, spent } of verdicts) {
    if (refusal !== undefined) {
      const notDone = spent.filter(({ counter }) => counter !== "requests");
      ledger.giveBack(key, notDone);
    } else if (isNaming) {
      // Not before: a name that was refused is new when it comes again.
      ledger.learn(key, names);
    }
  }
  if (refusal !== undefined) throw refusal;
}

/**
 * Does what takes units of quotas. Who is refused where it would be done, when they are spent already,
 * gets them back: to ask first, whether a token was revoked, would be another call for everybody.
 *
 * @throws SluiceError `quota_exceeded`, and what `work` throws.
 */
export async function spendOn<T>(
  c: AppContext,
  units: Partial<Record<CounterName, number>>,
  work: () => Promise<T>,
): Promise<T> {
  await spend(c, units);
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof SluiceError) giveBackRefused(c, units, thrown.code);
    throw thrown;
  }
}

/** Gives back what was spent on something that was refused, unless that is no fault of the caller's. */
export function giveBackRefused(
  c: AppContext,
  units: Partial<Record<CounterName, number>>,
  code: ErrorCode,
): void {
  // What broke off may have been done.
  if (describeError(code).status < 500) giveBack(c, units);
}

/** Gives back what was spent on something that was not done. */
export function giveBack(c: AppContext, units: Partial<Record<CounterName, number>>): void {
  for (const { kind, key, quotas } of payersOf(c)) {
    const spent = [...quotas.limits.values()].map((limit) => ({
      ...limit,
      units: units[limit.counter] ?? 0,
    }));
    c.var.ledger.giveBack(key, spent);
    for (const { counter, units: back } of spent) {
      const policy = `${kind}-${counter}`;
      const shown = c.var.shownQuotas.get(policy);
      if (shown === undefined) continue;
      c.var.shownQuotas.set(policy, { ...shown, remaining: shown.remaining + back });
    }
  }
}

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
      c.var.shownQuotas.set(policy, { ...shown, unit: UNITS[slot.pool], windowMs: undefined });
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

/** Who pays for what will be said on a socket, as headers that tell its object. */
export function payersHeader(c: AppContext): Readonly<Record<string, string>> {
  const payers = payersOf(c).flatMap(({ id, quotas: { limits } }) => {
    const publishes = limits.get("publishes")?.limit ?? 0;
    const bytes = limits.get("bytes")?.limit ?? 0;
    if (publishes === 0 && bytes === 0) return [];
    return [encodePayer({ quota: id.toString(), publishes, bytes })];
  });
  return payers.length === 0 ? {} : { [PAYERS_HEADER]: payers.join(",") };
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

/** Remembers how a quota stands, for the answer's headers. */
export function show(c: AppContext, { kind }: Payer, standing: Standing): void {
  const { counter } = standing;
  const policy = `${kind}-${counter}`;
  const shown: Shown = { ...standing, policy, unit: UNITS[counter] };
  c.var.shownQuotas.set(policy, shown);
}

/** The error of a quota that is used up. */
export function exceeded(
  c: AppContext,
  { kind }: Pick<Payer, "kind">,
  { counter, limit, windowMs, remaining, resetAt }: Limit & Standing,
): SluiceError {
  const per = windowMs === DAY_MS ? "a day (UTC)" : "a minute";
  return new SluiceError("quota_exceeded", {
    detail: `The quota of ${limit} ${counter} ${per} for this ${kind} leaves ${remaining}.`,
    members: { quota: `${kind}-${counter}`, remaining },
    retryAfter: secondsUntil(resetAt, c.var.deps.clock.now()),
  });
}
