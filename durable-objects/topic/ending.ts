/** Owns what is stored about the end of a topic. Refuses to know when it ends. */
import type { Terminal } from "../log/stored-state.ts";
import type { ProducerStamp } from "./producers.ts";

/** How a topic ended. */
export interface Ending {
  readonly outcome: Terminal["outcome"];
  /** What whoever closed it says, in the topic's content type if that is text, else JSON; empty for nothing. */
  readonly data: string;
  /** The producer's request that closed it. */
  readonly by?: ProducerStamp | undefined;
}

/** An ending as its log keeps it. */
export function toTerminal({ outcome, data, by }: Ending): Pick<Terminal, "outcome" | "data"> {
  return { outcome, data: JSON.stringify({ data, by }) };
}

/** Reads {@link toTerminal} back. */
export function fromTerminal({ outcome, data }: Terminal): Ending {
  // Written by the function above and nobody else.
  return { outcome, ...(JSON.parse(data) as Omit<Ending, "outcome">) };
}
