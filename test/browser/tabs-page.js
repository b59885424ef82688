/**
 * Owns a page that reads a topic and a room over the connection of all tabs, and keeps what it got.
 * Refuses to show anything.
 */
import { createClient } from "../../src/client/index.ts";

const client = createClient({ url: location.origin });

globalThis.readTopic = (name, options) => {
  const topic = client.topic(name, options);
  const seen = { topic, items: [], states: [] };
  topic.state.onChange(() => seen.states.push(topic.state.get().kind));
  topic.subscribe((item) => {
    seen.items.push(item.kind === "message" ? item.data : item);
  });
  return seen;
};

globalThis.joinRoom = (name, options) => {
  const room = client.room(name, options);
  const seen = { room, items: [] };
  room.subscribe((item) => {
    seen.items.push(item.kind === "gap" ? item : item.payload);
  });
  return seen;
};
