/**
 * Owns what the operator may set for quotas: how much each caller may use. Refuses to know how it is
 * counted.
 */
import * as v from "valibot";
import type { CounterName, Limit } from "../../durable-objects/quota/counters.ts";
import {
  DAY_MS,
  MAX_QUOTA,
  MINUTE_MS,
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
  /** Connections that may be open at once. */
  readonly connections: number | undefined;
}

/** The operator's settings for quotas, checked and completed. */
export interface QuotaSettings {
  /** Of a token's subject. */
  readonly subject: Quotas;
  /** Of an address. */
  readonly address: Quotas;
}

/** From 0, which switches a quota off. */
const quota = v.pipe(
  text,
  v.transform((value) => (value === undefined ? undefined : Number(value))),
  v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_QUOTA))),
);

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
    }),
    address: quotasOf({
      requests: vars.QUOTA_ADDRESS_REQUESTS_PER_DAY ?? usual(shared(QUOTA_REQUESTS_PER_DAY)),
      publishes: vars.QUOTA_ADDRESS_PUBLISHES_PER_DAY ?? usual(shared(QUOTA_PUBLISHES_PER_DAY)),
      bytes: vars.QUOTA_ADDRESS_BYTES_PER_DAY ?? usual(shared(QUOTA_BYTES_PER_DAY)),
      tokens: vars.QUOTA_ADDRESS_TOKENS_PER_DAY ?? usual(shared(QUOTA_TOKENS_PER_DAY)),
      names: vars.QUOTA_ADDRESS_NAMES_PER_MINUTE ?? usual(shared(QUOTA_NAMES_PER_MINUTE)),
      connections: vars.QUOTA_ADDRESS_CONNECTIONS ?? usual(shared(QUOTA_CONNECTIONS)),
    }),
  };
}

function shared(quota: number): number {
  return quota * QUOTA_ADDRESS_FACTOR;
}

function quotasOf({
  connections,
  ...counted
}: Readonly<Record<CounterName | "connections", number>>): Quotas {
  const limits = new Map<CounterName, Limit>();
  const add = (counter: CounterName, windowMs: number): void => {
    const limit = counted[counter];
    if (limit > 0) limits.set(counter, { counter, limit, windowMs });
  };
  add("requests", DAY_MS);
  add("publishes", DAY_MS);
  add("bytes", DAY_MS);
  add("tokens", DAY_MS);
  add("names", MINUTE_MS);
  return { limits, connections: connections > 0 ? connections : undefined };
}
