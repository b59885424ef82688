/**
 * Owns the form of the client's suite: cases that run in any runtime against a running Worker, one after
 * the other. Refuses to know the runtime, and whatever only one of them has.
 */
import { type Client, type ClientOptions, createClient } from "../../src/client/index.ts";

/** What a runtime gives the suite. */
export interface Surroundings {
  /** The Worker's address. */
  readonly url: string;
  /** The same through a network that breaks. */
  readonly brokenUrl: string;
  /** Breaks every connection through it, now. */
  readonly cut: () => Promise<void>;
}

/** What a case is given. */
interface Stage extends Surroundings {
  /** A name that no other case uses. */
  readonly name: string;
  /** A client that comes back at once and is closed after the case. */
  readonly connect: (options?: Partial<ClientOptions>) => Client;
}

/** One thing that is to be so. */
export interface Case {
  /** Begins with the ids of what it proves. */
  readonly title: string;
  readonly run: (stage: Stage) => Promise<void>;
}

/** Waits are as short as may be: suites of other kinds prove that they are random and grow. */
const random = (): number => 0.05;

/** Runs one case and closes what it opened. */
export async function runCase({ run }: Case, surroundings: Surroundings): Promise<void> {
  const clients: Client[] = [];
  const connect: Stage["connect"] = (options = {}) => {
    const client = createClient({ url: surroundings.url, random, ...options });
    clients.push(client);
    return client;
  };
  try {
    await run({ ...surroundings, name: `suite-${crypto.randomUUID()}`, connect });
  } finally {
    for (const client of clients) client.close();
  }
}

/** @throws Error that shows both, when they are not the same as JSON. */
export function expectSame(actual: unknown, expected: unknown): void {
  const [left, right] = [describe(actual), describe(expected)];
  if (left !== right) throw new Error(`Expected ${right}\nbut found ${left}`);
}

/** @throws Error with the sentence, when it is not so. */
export function expectThat(isSo: boolean, sentence: string): void {
  if (!isSo) throw new Error(`It is not so that ${sentence}.`);
}

/** The error with which something failed. @throws Error when it did not. */
export async function errorOf(work: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("It should have failed.");
}

function describe(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === "bigint") return `${item}n`;
    return item instanceof Uint8Array ? `bytes ${[...item].join(",")}` : (item ?? null);
  });
}
