/**
 * Owns what a request costs its callers, which are its token's subject and its address: each has
 * quotas of its own. Refuses to know how they are kept.
 */
import type { CounterName, Limit, Standing } from "../../durable-objects/quota/counters.ts";
import { PAYERS_HEADER } from "../../durable-objects/platform/headers.ts";
import { encodePayer } from "../../durable-objects/quota/post-paid.ts";
import type { QuotaObject } from "../../durable-objects/quota.ts";
import { describeError, type ErrorCode, SluiceError } from "../protocol/errors.ts";
import { DAY_MS, MAX_TOPICS_PER_STREAM } from "../protocol/limits.ts";
import { networkOf } from "../quota/address.ts";
import { describeRateLimits, secondsUntil, type Shown } from "../quota/headers.ts";
import type { Spending } from "../quota/ledger.ts";
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
const UNITS: Readonly<Record<CounterName, string | undefined>> = {
  requests: undefined,
  publishes: "messages",
  bytes: "content-bytes",
  tokens: "tokens",
  names: "names",
};

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
 * costs the others no more than the request: many subjects share an address. Where one of them cannot
 * be asked, nothing is done, and it costs the others nothing.
 *
 * @throws SluiceError `quota_exceeded`.
 */
export async function spend(
  c: AppContext,
  units: Partial<Record<CounterName, number>>,
  names: readonly string[] = [],
): Promise<void> {
  const asked = await Promise.allSettled(
    payersOf(c).map(async (payer) => await spendFor(c, payer, units, names)),
  );
  const verdicts = asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failed = asked.find((one) => one.status === "rejected");
  const refusal = verdicts.find((verdict) => verdict.refusal !== undefined)?.refusal;
  for (const { payer, isNaming, spent } of verdicts) {
    if (failed !== undefined) {
      putBack(c, payer, spent);
    } else if (refusal !== undefined) {
      putBack(
        c,
        payer,
        spent.filter(({ counter }) => counter !== "requests"),
      );
    } else if (isNaming) {
      // Not before: a name that was refused is new when it comes again.
      c.var.ledger.learn(payer.key, names);
    }
  }
  if (failed !== undefined) throw failed.reason;
  if (refusal !== undefined) throw refusal;
}

/** What came of asking one payer. */
interface PayerVerdict {
  readonly payer: Payer;
  readonly isNaming: boolean;
  readonly spent: readonly Spending[];
  readonly refusal?: SluiceError;
}

async function spendFor(
  c: AppContext,
  payer: Payer,
  units: Partial<Record<CounterName, number>>,
  names: readonly string[],
): Promise<PayerVerdict> {
  const { ledger } = c.var;
  const { key, quotas, stub } = payer;
  const isNaming = names.length > 0 && quotas.limits.has("names");
  const wanted = isNaming ? { ...units, names: ledger.countNew(key, names) } : units;
  const spendings = [...quotas.limits.values()].flatMap((limit) => {
    const count = wanted[limit.counter] ?? 0;
    return count > 0 ? [{ ...limit, units: count }] : [];
  });
  if (spendings.length === 0) return { payer, isNaming, spent: [] };
  const { refused, standings } = await ledger.spend(
    key,
    spendings,
    async (wants) => await stub.take(wants),
  );
  for (const standing of standings) show(c, payer, standing);
  if (refused === undefined) return { payer, isNaming, spent: spendings };
  return { payer, isNaming, spent: [], refusal: exceeded(c, payer, refused) };
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
  for (const payer of payersOf(c)) {
    const limits = [...payer.quotas.limits.values()];
    putBack(
      c,
      payer,
      limits.map(({ counter }) => ({ counter, units: units[counter] ?? 0 })),
    );
  }
}

function putBack(
  c: AppContext,
  { kind, key }: Payer,
  spent: readonly Pick<Spending, "counter" | "units">[],
): void {
  for (const { counter, units } of spent) {
    const policy = `${kind}-${counter}`;
    const shown = c.var.shownQuotas.get(policy);
    // Whatever was spent is shown.
    if (shown === undefined) continue;
    c.var.ledger.giveBack(key, { counter, units, resetAt: shown.resetAt });
    c.var.shownQuotas.set(policy, { ...shown, remaining: shown.remaining + units });
  }
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
