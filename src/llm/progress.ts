/**
 * Owns how far an answer has come: what each event of the provider means for its end. Refuses to
 * know where events come from and how long they take.
 */
import type { EventSourceMessage } from "eventsource-parser";
import { SluiceError } from "../protocol/errors.ts";
import { type Chunk, isFinish, isSpeech, parseChunk } from "./chunk.ts";

/** A piece of the answer: the provider's JSON, and the same understood. */
export interface AnswerChunk {
  readonly json: string;
  readonly chunk: Chunk;
}

/**
 * `silent` until the first chunk, `opened` until the first word, `speaking` until a `finish_reason`,
 * `finished` until `[DONE]`, then `done`. In the last two the answer is complete: nothing that
 * follows can spoil it.
 */
export type Phase = "silent" | "opened" | "speaking" | "finished" | "done";

/** What the events of one read came to. */
interface Step {
  readonly batch: readonly AnswerChunk[];
  readonly phase: Phase;
  /** Why the answer ends here; what was said before it counts all the same. */
  readonly failure?: unknown;
}

/** Understands the events of one read, up to the one that ends the answer or is none. */
export function advance(events: readonly EventSourceMessage[], before: Phase): Step {
  const batch: AnswerChunk[] = [];
  let phase = before;
  try {
    for (const event of events) {
      const parsed = parseChunk(event);
      if (parsed.kind === "blank") continue;
      if (parsed.kind === "done") {
        if (phase === "silent") throw emptyAnswer();
        return { batch, phase: "done" };
      }
      batch.push(parsed);
      phase = follow(phase, parsed.chunk);
    }
  } catch (failure) {
    return { batch, phase, failure };
  }
  return { batch, phase };
}

/** Whether the provider has said that the answer is all there. */
export function isComplete(phase: Phase): boolean {
  return phase === "finished" || phase === "done";
}

/** Why an answer that stops in this phase is not complete; undefined when it is. */
export function describeEnd(phase: Phase): SluiceError | undefined {
  if (isComplete(phase)) return undefined;
  return phase === "silent" ? emptyAnswer() : new SluiceError("upstream_truncated");
}

function follow(phase: Phase, chunk: Chunk): Phase {
  if (phase === "finished" || isFinish(chunk)) return "finished";
  return phase === "speaking" || isSpeech(chunk) ? "speaking" : "opened";
}

function emptyAnswer(): SluiceError {
  return new SluiceError("upstream_bad_response", {
    detail: "The model provider ended its answer without a single event.",
  });
}
