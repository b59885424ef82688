/** Owns what a generation tells about itself. Refuses to decide anything. */
import { type Ending, type Outcome, parseEnding } from "../../src/llm/ending.ts";
import type { Generation } from "./generation.ts";

/** A generation from outside. */
export interface Description {
  /** As the one that answers calls itself, once it has. */
  readonly model: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly includeUsage: boolean;
  /** The caller's own labels, as JSON. */
  readonly metadata: string | null;
  readonly follows: string | null;
  /** The generation that was last asked for in its place. */
  readonly followedBy: string | null;
  /** Entries at its beginning that say again what the followed one had said. */
  readonly said: number;
  readonly messageId: string | null;
  /** The log's life, and its newest entry. */
  readonly epoch: string;
  readonly tail: number;
  /** Undefined while it is being written. */
  readonly end: DescribedEnd | undefined;
}

/** How it ended. */
interface DescribedEnd {
  readonly outcome: Outcome;
  /** The {@link Ending} as JSON: the way between objects takes no open-ended types. */
  readonly ending: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Describes a generation as it is now. */
export function describe({ record, model, log, followedBy }: Generation): Description {
  const { startedAt, includeUsage, metadata, follows, said, messageId } = record;
  const { state, epoch, tail } = log;
  const end =
    state.kind === "open"
      ? undefined
      : { outcome: state.terminal.outcome, ending: state.terminal.data, at: state.terminal.at };
  const facts = { model, startedAt, includeUsage, metadata, follows, followedBy, said, messageId };
  return { ...facts, epoch, tail, end };
}

/** The ending of a described end. */
export function endingOf({ ending }: DescribedEnd): Ending {
  return parseEnding(ending);
}
