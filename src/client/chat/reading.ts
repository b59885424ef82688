/**
 * Owns an answer as an application reads it: asked for once, read on wherever the connection broke,
 * ended once. Refuses to know what carries its events.
 */
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import { type Reading, readingOf } from "../flow/reading.ts";
import { failureOfThrown } from "../http/failure.ts";
import { call } from "../http/request.ts";
import { collect } from "./collect.ts";
import { askHowItEnded, pathOf } from "./record.ts";
import { type ChunkNews, endOf, readChunk } from "./read-chunk.ts";
import type { ChatResume, ChatTransport } from "./transport.ts";
import type { Answer, ChatDelta, ChatEnd } from "./types.ts";

/**
 * @param carry makes what carries it, given what is to be told its id.
 * @param id of one that was asked for before.
 */
export function readAnswer(
  context: Context,
  carry: (named: (id: string | null) => void) => ChatTransport,
  id?: string,
  after?: string,
): Answer {
  /** Resolves when the answer has a name, or never will. */
  const naming = Promise.withResolvers<void>();
  const ending = Promise.withResolvers<ChatEnd>();
  /** Resolve when those who are called with what comes have had it all: the end is told after it. */
  const takings: Promise<void>[] = [];
  let usage: ChatEnd["usage"];
  let finishReason: string | undefined;
  /** What the answer's last event says of its end. */
  let last: ChunkNews["end"];

  const named = (name: string | null | undefined): void => {
    answer.id = name ?? answer.id;
    if (answer.id !== undefined) naming.resolve();
  };

  const [reading, start] = readingOf<ChatDelta, ChatResume>(context, carry(named), after, {
    resume: (position) => ({ id: answer.id, after: position }),
    read({ id: position, data }) {
      const news = readChunk(data);
      finishReason = news.finishReason ?? finishReason;
      usage = news.usage ?? usage;
      // Without a position it is no end of the answer but of this reading, which goes on elsewhere.
      if (position !== undefined) last = news.end;
      return news.deltas;
    },
    end: () => last && `The answer is ${last.state}.`,
    async closed(because, message, inbox) {
      naming.resolve();
      const finish = ({ error }: Pick<ChatEnd, "error">): void => {
        inbox.finish(error && new ClientError(error.code, error.message));
      };
      const isClosed = because === "closed";
      if (isClosed) inbox.close();
      // Read to its end before: how it ended, only its record says.
      const known = last ?? (because === "ended" ? undefined : endOf({ code: because, message }));
      if (known !== undefined) finish(known);
      const told = { usage, finishReason };
      // What the provider did not say of its costs, the server has estimated.
      const isTold = usage !== undefined || answer.id === undefined || isClosed;
      const end =
        known !== undefined && isTold
          ? { ...told, ...known }
          : {
              ...told,
              ...(await askHowItEnded(context, answer.id).catch((thrown: unknown) =>
                endOf(failureOfThrown(thrown)),
              )),
              ...known,
            };
      finish(end);
      await Promise.all(takings);
      ending.resolve(end);
    },
    taking: (taking) => takings.push(taking),
  });

  const answer: Reading<ChatDelta> & Answer & { id: string | undefined } = Object.assign(reading, {
    id,
    end: ending.promise,
    whole: () => collect(reading, ending.promise),
    async stop(): Promise<void> {
      await naming.promise;
      if (answer.id === undefined || reading.state.get().kind === "closed") return;
      await call(context, { path: `${pathOf(answer.id)}/cancel`, body: {} });
    },
  });
  named(id);
  start();
  return answer;
}
