/**
 * Owns the suite where our test runner does not run: one case after the other, each with its result.
 * Refuses to know the runtime.
 */
import { cases } from "./cases.ts";
import { type Case, runCase, type Surroundings } from "./suite.ts";

/** Milliseconds that a case may take. */
const PATIENCE_MS = 50_000;

/** What became of a case. */
export interface CaseResult {
  readonly title: string;
  /** What went wrong; undefined when it passed. */
  readonly error?: string;
}

/** Addresses, as they are handed to another program. */
export interface Addresses {
  readonly url: string;
  readonly brokenUrl: string;
  /** A POST to it breaks every connection through `brokenUrl`. */
  readonly cutUrl: string;
}

/** Runs all cases; tells each result when it is known. */
export async function* report({
  url,
  brokenUrl,
  cutUrl,
}: Addresses): AsyncGenerator<CaseResult, void, undefined> {
  const cut = async (): Promise<void> => {
    await (await fetch(cutUrl, { method: "POST" })).text();
  };
  for (const one of cases) yield await resultOf(one, { url, brokenUrl, cut });
}

async function resultOf(one: Case, surroundings: Surroundings): Promise<CaseResult> {
  const { title } = one;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`It is not over after ${PATIENCE_MS} ms.`));
    }, PATIENCE_MS);
  });
  try {
    await Promise.race([runCase(one, surroundings), late]);
    return { title };
  } catch (error) {
    return {
      title,
      error: error instanceof Error ? (error.stack ?? String(error)) : String(error),
    };
  } finally {
    clearTimeout(timer);
  }
}
