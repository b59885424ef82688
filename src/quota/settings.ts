/**
 * Owns what the operator may set for quotas: how much each caller may use. Refuses to know how it is
 * counted.
 */
import * as v from "valibot";
import type { CounterName, Limit } from "../../durable-objects/quota/counters.ts";
import type { Pool } from "../../durable-objects/quota/slots.ts";
import {
  DAY_MS,
  MAX_QUOTA,
  MAX_RUNNING_GENERATIONS,
  MINUTE_MS,
  MOST_RUNNING_GENERATIONS,
  QUOTA_ADDRESS_FACTOR,
  QUOTA_BYTES_PER_DAY,
  QUOTA_CONNECTIONS,
  QUOTA_NAMES_PER_MINUTE,
  QUOTA_PUBLISHES_PER_DAY,
  QUOTA_REQUESTS_PER_DAY,
  QUOTA_TOKENS_PER_DAY,
} from "../protocol/limits.ts";
import { readVariables, text } from "../protocol/variables.ts";

/** The quotas of one kind of caller; what is not there is not limited. */
export interface Quotas {
  readonly limits: ReadonlyMap<CounterName, Limit>;
  /** How many there may be at once. */
  readonly most: ReadonlyMap<Pool, number>;
}

/** The operator's settings for quotas, checked and completed. */
export interface QuotaSettings {
  /** Of a token's subject. */
  readonly subject: Quotas;
  /** Of an address. */
  readonly address: Quotas;
}

/** From 0, which switches a quota off. */
const upTo = (most: number) =>
  v.pipe(
    text,
    v.transform((value) => (value === undefined ? undefined : Number(value))),
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(most))),
  );
const quota = upTo(MAX_QUOTA);

const variables = v.object({
  QUOTA_REQUESTS_PER_DAY: quota,
  QUOTA_PUBLISHES_PER_DAY: quota,
  QUOTA_BYTES_PER_DAY: quota,
  QUOTA_TOKENS_PER_DAY: quota,
  QUOTA_NAMES_PER_MINUTE: quota,
  QUOTA_CONNECTIONS: quota,
  QUOTA_ADDRESS_REQUESTS_PER_DAY: quota,
  QUOTA_ADDRESS_PUBLISHES_PER_DAY: quota,
  QUOTA_ADDRESS_BYTES_PER_DAY: quota,
  QUOTA_ADDRESS_TOKENS_PER_DAY: quota,
  QUOTA_ADDRESS_NAMES_PER_MINUTE: quota,
  QUOTA_ADDRESS_CONNECTIONS: quota,
  MAX_RUNNING_GENERATIONS: upTo(MOST_RUNNING_GENERATIONS),
  MAX_ADDRESS_RUNNING_GENERATIONS: upTo(MOST_RUNNING_GENERATIONS),
});

/**
 * Reads the settings. While only this machine is served, what is not set is not limited.
 *
 * @throws SluiceError `misconfigured`, naming the variable and never its value.
 */
export function readQuotaSettings(
  env: Readonly<Record<string, unknown>>,
  servesOthers: boolean,
): QuotaSettings {
  const vars = readVariables(variables, env);
  const usual = (value: number): number => (servesOthers ? value : 0);
  return {
    subject: quotasOf({
      requests: vars.QUOTA_REQUESTS_PER_DAY ?? usual(QUOTA_REQUESTS_PER_DAY),
      publishes: vars.QUOTA_PUBLISHES_PER_DAY ?? usual(QUOTA_PUBLISHES_PER_DAY),
      bytes: vars.QUOTA_BYTES_PER_DAY ?? usual(QUOTA_BYTES_PER_DAY),
      tokens: vars.QUOTA_TOKENS_PER_DAY ?? usual(QUOTA_TOKENS_PER_DAY),
      names: vars.QUOTA_NAMES_PER_MINUTE ?? usual(QUOTA_NAMES_PER_MINUTE),
      connections: vars.QUOTA_CONNECTIONS ?? usual(QUOTA_CONNECTIONS),
      generations: vars.MAX_RUNNING_GENERATIONS ?? usual(MAX_RUNNING_GENERATIONS),
    }),
    address: quotasOf({
      requests: vars.QUOTA_ADDRESS_REQUESTS_PER_DAY ?? usual(shared(QUOTA_REQUESTS_PER_DAY)),
      publishes: vars.QUOTA_ADDRESS_PUBLISHES_PER_DAY ?? usual(shared(QUOTA_PUBLISHES_PER_DAY)),
      bytes: vars.QUOTA_ADDRESS_BYTES_PER_DAY ?? usual(shared(QUOTA_BYTES_PER_DAY)),
      tokens: vars.QUOTA_ADDRESS_TOKENS_PER_DAY ?? usual(shared(QUOTA_TOKENS_PER_DAY)),
      names: vars.QUOTA_ADDRESS_NAMES_PER_MINUTE ?? usual(shared(QUOTA_NAMES_PER_MINUTE)),
      connections: vars.QUOTA_ADDRESS_CONNECTIONS ?? usual(shared(QUOTA_CONNECTIONS)),
      generations: vars.MAX_ADDRESS_RUNNING_GENERATIONS ?? usual(shared(MAX_RUNNING_GENERATIONS)),
    }),
  };
}

function shared(quota: number): number {
  return quota * QUOTA_ADDRESS_FACTOR;
}

function quotasOf(numbers: Readonly<Record<CounterName | Pool, number>>): Quotas {
  const limits = new Map<CounterName, Limit>();
  const add = (counter: CounterName, windowMs: number): void => {
    const limit = numbers[counter];
    if (limit > 0) limits.set(counter, { counter, limit, windowMs });
  };
  add("requests", DAY_MS);
  add("publishes", DAY_MS);
  add("bytes", DAY_MS);
  add("tokens", DAY_MS);
  add("names", MINUTE_MS);
  const pools = ["connections", "generations"] as const;
  const most = new Map<Pool, number>();
  for (const pool of pools) if (numbers[pool] > 0) most.set(pool, numbers[pool]);
  return { limits, most };
}
