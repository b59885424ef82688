/** Owns the door to answers: what `sluice/client/chat` exports. Refuses to know the other surfaces. */
import { contextOf } from "../context.ts";
import type { ClientOptions } from "../options.ts";
import { sharedByTabs } from "../share.ts";
import { readAnswer } from "./reading.ts";
import { fetchAnswer, questionOf } from "./transport.ts";
import type { Answer, ChatOptions, ChatRequest, ResumeOptions } from "./types.ts";

/** Asks, at once, for an answer that survives the connection. */
export function startChat(
  client: ClientOptions,
  request: ChatRequest,
  options: ChatOptions = {},
): Answer {
  const context = contextOf(client);
  const question = questionOf(request, options);
  return readAnswer(context, (named) => fetchAnswer(context, question, named));
}

/** Reads an answer that was asked for before, here or elsewhere. */
export function resumeChat(
  client: ClientOptions,
  id: string,
  { after }: ResumeOptions = {},
): Answer {
  const context = contextOf(client);
  const direct = fetchAnswer(context);
  const transport = sharedByTabs(context, "chat", id, direct, async () => {
    const { shareAnswer } = await import("../tabs/answers.ts");
    return shareAnswer(context, id, direct);
  });
  return readAnswer(context, () => transport, id, after);
}
