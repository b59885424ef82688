/** Owns answers as components show them: asked for, read as they are written, stopped. */
import { useMemo } from "react";
import type { Answer, ChatDelta, ChatEnd, ChatOptions, ChatRequest } from "../chat/types.ts";
import { paced } from "../paced.ts";
import type { ConnectionState, Unsubscribe } from "../state.ts";
import type { Client } from "../types.ts";
import { useClient } from "./provider.ts";
import { SurfaceStore } from "./surface-store.ts";
import { useStore } from "./use-store.ts";

/** What of an answer changes. */
export interface AnswerSnapshot {
  /** Nothing was asked; it is being written; or how it ended. */
  readonly status: "idle" | "writing" | Exclude<ChatEnd["state"], "closed">;
  readonly text: string;
  readonly reasoning: string;
  /** Names the answer, to read it elsewhere or after a reload. */
  readonly id: string | undefined;
  readonly usage: ChatEnd["usage"];
  readonly finishReason: string | undefined;
  /** Why it is not complete. */
  readonly error: ChatEnd["error"];
  /** Where the connection stands. */
  readonly state: ConnectionState;
}

/** An answer as a component sees it. The functions stay the same. */
export interface AnswerView extends AnswerSnapshot {
  /** Asks; what was read before is given up. */
  readonly ask: (request: ChatRequest, options?: ChatOptions) => void;
  /** Ends the answer, for everyone who reads it. */
  readonly stop: () => Promise<void>;
}

/**
 * Asks for answers and shows the newest. An answer is read while the component is mounted, and read on
 * when it is mounted again.
 *
 * @param id an answer that was asked for before, read from its start. Read when it changes.
 */
export function useAnswer({ id }: { readonly id?: string } = {}): AnswerView {
  const client = useClient();
  const made = useMemo(() => new AnswerStore(client, id), [client, id]);
  const [snapshot] = useStore<AnswerSnapshot, AnswerStore>(() => made, NOTHING, [made]);
  const actions = useMemo(
    () => ({
      ask: (request: ChatRequest, options?: ChatOptions): void => {
        made.read(client.chat(request, options));
      },
      stop: async (): Promise<void> => {
        await made.stop();
      },
    }),
    [made],
  );
  return { ...snapshot, ...actions };
}

const NOTHING: AnswerSnapshot = {
  status: "idle",
  text: "",
  reasoning: "",
  id: undefined,
  usage: undefined,
  finishReason: undefined,
  error: undefined,
  state: { kind: "idle" },
};

class AnswerStore extends SurfaceStore<AnswerSnapshot> {
  readonly #client: Client;
  #answer: Answer | undefined;
  /** What to read, from its start, when a component is mounted again. */
  #left: string | undefined;

  constructor(client: Client, id: string | undefined) {
    super(NOTHING);
    this.#client = client;
    this.#left = id;
  }

  /** Shows another answer. */
  read(answer: Answer): void {
    this.#leave();
    this.#left = undefined;
    this.show({ ...NOTHING, status: "writing" });
    this.#watch(answer);
  }

  async stop(): Promise<void> {
    await this.#answer?.stop();
  }

  protected override open(): Unsubscribe {
    const left = this.#left;
    if (left !== undefined) {
      this.show({ ...NOTHING, status: "writing", id: left });
      this.#watch(this.#client.resumeChat(left));
    }
    return () => {
      this.#leave();
    };
  }

  #leave(): void {
    const answer = this.#answer;
    if (answer === undefined) return;
    this.#answer = undefined;
    this.#left = this.snapshot.status === "writing" ? answer.id : undefined;
    // Nobody can find an answer again that has no name yet.
    if (this.#left === undefined && this.snapshot.status === "writing") this.show(NOTHING);
    answer.close();
  }

  #watch(answer: Answer): void {
    this.#answer = answer;
    answer.state.onChange(() => {
      if (this.#answer === answer) this.show({ state: answer.state.get(), id: answer.id });
    });
    void this.#read(answer);
  }

  /** The end is shown after everything before it. */
  async #read(answer: Answer): Promise<void> {
    const take = paced<ChatDelta | ChatEnd>((news) => {
      if (this.#answer === answer) this.#add(answer, news);
    });
    try {
      for await (const delta of answer) await take(delta);
    } catch {
      // Its end says why.
    }
    await take(await answer.end);
  }

  #add({ id }: Answer, news: readonly (ChatDelta | ChatEnd)[]): void {
    let { text, reasoning, status, usage, finishReason, error } = this.snapshot;
    for (const one of news) {
      if (!("kind" in one)) {
        if (one.state !== "closed") status = one.state;
        ({ usage, finishReason, error } = one);
      } else if (one.kind === "text") text += one.text;
      else if (one.kind === "reasoning") reasoning += one.text;
    }
    this.show({ id, text, reasoning, status, usage, finishReason, error });
  }
}
