/** Owns the reading of one topic for a part of the page. Refuses to know what its events mean. */
import { paced } from "sluice/client";
import { client } from "../session.js";
import { noticeRefusal } from "../token.js";
import { track } from "../wire/connections.js";

/**
 * Reads a topic, shows its connection and hands over what comes, a frame of animation at a time.
 *
 * @param {string} name
 * @param {import("sluice/client").TopicOptions} options
 * @param {(items: readonly import("sluice/client").TopicItem[]) => void} take
 */
export function readTopic(name, options, take) {
  const topic = client().topic(name, options);
  const tracked = track(`topic ${name}`, topic);
  const release = tracked.state.subscribe((state) => {
    if (state.kind === "closed") noticeRefusal(state.because);
  });
  topic.subscribe(paced(take));
  return {
    topic,
    state: tracked.state,
    close() {
      release();
      topic.close();
      tracked.forget();
    },
  };
}
