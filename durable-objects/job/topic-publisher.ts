/** Owns telling a topic's object from inside the Worker. Refuses to know what is told. */
import type { EventPublisher } from "../../src/jobs/progress.ts";
import { SluiceError } from "../../src/protocol/errors.ts";
import { encodeValue } from "../../src/protocol/value.ts";
import { type Outcome, unwrap } from "../platform/outcome.ts";
import type { Append, AppendResult } from "../topic/appending.ts";

/** The part of a topic's object that publishers need. */
interface Appendable {
  append(request: Append): Promise<Outcome<AppendResult>>;
}

/** Whose ids the events' ids are. */
const SENDER = "job";

/**
 * A publisher to a topic that is there already: events and end in one step.
 *
 * @throws SluiceError from `publish`: `topic_closed` or `not_found` when there is nobody to tell.
 */
export function createTopicPublisher(topic: Appendable): EventPublisher {
  return {
    async publish(events, end) {
      const result = unwrap(
        await topic.append({
          events: events.map(({ event, data, id }) => ({
            event,
            payload: encodeValue(JSON.stringify(data)),
            id,
            sender: SENDER,
          })),
          contentType: "application/json",
          ...(end === undefined ? {} : { close: { outcome: end, data: "" } }),
        }),
      );
      if (result.kind === "appended") return;
      throw new SluiceError(result.kind === "missing" ? "not_found" : "topic_closed");
    },
  };
}
