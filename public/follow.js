/**
 * Owns following a topic to its end: with the browser's `EventSource`, or, where a token has to be sent,
 * which an `EventSource` cannot, with `fetch`. Refuses to know what the events mean.
 */
import { readEvents } from "./sse.js";

/** Milliseconds before a lost connection is made again, and as much again at random. */
const RETRY_MS = 1_000;

/**
 * @typedef {object} Follower
 * @property {() => void} begin The story is about to be told, from its beginning.
 * @property {(name: string, data: string) => void} hear
 * @property {(why: string) => void} lose It cannot be followed.
 */

/**
 * Tells events by their names until the topic ends.
 *
 * @param {{ topic: string, token: string, names: readonly string[] }} wish
 * @param {Follower} follower
 */
export function follow({ topic, token, names }, follower) {
  const url = `/v1/topics/${encodeURIComponent(topic)}`;
  if (token === "") followOpenly(url, names, follower);
  else void followWith(token, url, names, follower);
}

/**
 * @param {string} url
 * @param {readonly string[]} names
 * @param {Follower} follower
 */
function followOpenly(url, names, follower) {
  const source = new EventSource(url);
  follower.begin();
  for (const name of names) {
    source.addEventListener(name, ({ data }) => follower.hear(name, data));
  }
  source.addEventListener("end", () => source.close());
  // It comes back by itself unless the server refused it for good.
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) follower.lose("This job cannot be watched.");
  });
}

/**
 * @param {string} token
 * @param {string} url
 * @param {readonly string[]} names
 * @param {Follower} follower
 */
async function followWith(token, url, names, follower) {
  for (;;) {
    try {
      const response = await fetch(url, {
        headers: { accept: "text/event-stream", authorization: `Bearer ${token}` },
      });
      if (response.status >= 400 && response.status < 500) {
        follower.lose((await response.json()).detail);
        return;
      }
      // Short enough to be told again, instead of going on where it broke off.
      follower.begin();
      if (response.ok && response.body !== null) {
        for await (const { event, data } of readEvents(response.body)) {
          if (names.includes(event)) follower.hear(event, data);
          if (event === "end") return;
        }
      }
    } catch {
      // Lost: the next attempt says more.
    }
    await new Promise((resolve) => {
      setTimeout(resolve, RETRY_MS * (1 + Math.random()));
    });
  }
}
