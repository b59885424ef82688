/** Owns how tabs share answers that are read on. Loaded by the first page that shares one. */
import { type ChatResume, type ChatTransport, fetchAnswer } from "../chat/transport.ts";
import type { Context } from "../context.ts";
import type { TopicEvent, TopicTaken } from "../topic/transport.ts";
import { carryByTabs } from "./carry.ts";
import { surfaceOf } from "./seat.ts";
import { TopicLine } from "./topic-line.ts";

const surface = surfaceOf("chat", (context, { id }, upstream) => {
  const open = upstream<ChatResume, TopicEvent, TopicTaken>(fetchAnswer(context));
  // To who reads it, an answer is a log that is read from its start or from where one was.
  const line = new TopicLine(({ after }, observer) => open({ id, after }, observer));
  return { line, serves: (target) => target.id === id };
});

/** Carries an answer by way of the tabs. @param direct connections of this tab's own. */
export function shareAnswer(context: Context, id: string, direct: ChatTransport): ChatTransport {
  return carryByTabs(context, {
    surface,
    direct,
    targetOf: ({ after }) => ({
      surface: "chat",
      id,
      resume: { after, from: "start", window: WINDOW },
    }),
  });
}

/** Events that a tab may be told ahead of what it has taken. */
const WINDOW = 256;
