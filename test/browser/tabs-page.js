/**
 * Owns a page that reads a topic, a room and an answer as any page does, and keeps what it got. `?alone`
 * in its address opts out of sharing. Refuses to show anything.
 */
import { createClient } from "../../src/client/index.ts";
import { indexedDbOutbox } from "../../src/client/outbox/indexed-db.ts";

const client = createClient({
  url: location.origin,
  ...(location.search === "?alone" ? { share: false } : {}),
});

/** Whether the page was shown again as it had been left, each time it was shown. */
globalThis.shows = [];
addEventListener("pageshow", ({ persisted }) => shows.push(persisted));

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

/** A room whose outbox survives the page; `sent` are the receipts that came. */
globalThis.joinDurably = (name, member) => {
  const storage = indexedDbOutbox();
  const seen = joinRoom(name, { member, history: 100, outbox: { storage } });
  const sent = [];
  return {
    ...seen,
    storage,
    sent,
    say(payload) {
      void seen.room.publish("say", payload).then(({ seq }) => sent.push([payload, seq]));
    },
  };
};

globalThis.readAnswer = (id) => follow(client.resumeChat(id));

/** How many messages are in the database of outboxes. */
globalThis.countKept = () =>
  new Promise((counted) => {
    const opening = indexedDB.open("sluice-outbox");
    opening.onsuccess = () => {
      const database = opening.result;
      const counting = database.transaction("messages").objectStore("messages").count();
      counting.onsuccess = () => {
        database.close();
        counted(counting.result);
      };
    };
  });

globalThis.askAnswer = () =>
  follow(client.chat({ messages: [{ role: "user", content: "Hello?" }] }));

function follow(answer) {
  const seen = { answer, text: "", end: undefined };
  answer.subscribe((delta) => {
    seen.text += delta.text;
  });
  void answer.end.then((end) => {
    seen.end = end.state;
  });
  return seen;
}
