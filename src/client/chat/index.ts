/** Owns the door to answers: what `sluice/client/chat` exports. Refuses to know the other surfaces. */
import { contextOf } from "../context.ts";
import type { ClientOptions } from "../options.ts";
import { AnswerReading } from "./reading.ts";
import { questionOf } from "./transport.ts";
import type { Answer, ChatOptions, ChatRequest, ResumeOptions } from "./types.ts";

/** Asks, at once, for an answer that survives the connection. */
export function startChat(
  client: ClientOptions,
  request: ChatRequest,
  options: ChatOptions = {},
): Answer {
  return new AnswerReading(contextOf(client), { question: questionOf(request, options) });
}

/** Reads an answer that was asked for before, here or elsewhere. */
export function resumeChat(
  client: ClientOptions,
  id: string,
  { after }: ResumeOptions = {},
): Answer {
  return new AnswerReading(contextOf(client), { id, after });
}
