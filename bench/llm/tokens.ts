/**
 * Owns the tokens that the scripted provider speaks and the runner finds again in every peer's format.
 */

/** One token's text: its number, and the microsecond (monotonic) in which it was sent. */
export function tokenText(index: number, sentAtUs: number): string {
  return `~${index}@${sentAtUs} `;
}

/** Finds tokens in any text that quotes them: number, microsecond. */
export const TOKEN = /~(\d+)@(\d+) /g;

/** What the scripted provider is asked for, by the name of the model. */
export interface Script {
  readonly tokens: number;
  /** Milliseconds between two tokens; undefined means all at once, each in a write of its own. */
  readonly paceMs: number | undefined;
  /** Milliseconds of silence before the provider says anything; a model reads and thinks. */
  readonly thinkMs?: number;
}

/** The scenarios, as models. */
export const SCRIPTS = {
  first: { tokens: 3, paceMs: undefined },
  thinking: { tokens: 3, paceMs: undefined, thinkMs: 200 },
  paced: { tokens: 40, paceMs: 20 },
  full: { tokens: 2000, paceMs: undefined },
  long: { tokens: 1000, paceMs: 20 },
  crowd: { tokens: 250, paceMs: 20 },
} as const satisfies Record<string, Script>;

export type Scenario = keyof typeof SCRIPTS;
