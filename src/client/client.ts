/** Owns the client as a whole. Refuses to know how its surfaces work. */
import { openRoom } from "./room/index.ts";
import { resumeChat, startChat } from "./chat/index.ts";
import { ClientError } from "./errors.ts";
import type { ClientOptions } from "./options.ts";
import type { ConnectionState, Observable } from "./state.ts";
import { openTopic } from "./topic/index.ts";
import type { Client } from "./types.ts";

/** What is open until it is closed. */
interface Closable {
  readonly state: Observable<ConnectionState>;
  close(): void;
}

/** A client of the server at `options.url`. Nothing is connected yet. */
export function createClient(options: ClientOptions): Client {
  const opened = new Set<WeakRef<Closable>>();
  // What an application has dropped and nothing reads needs no end: a server opens a topic for each event it publishes.
  const dropped = new FinalizationRegistry<WeakRef<Closable>>((ref) => {
    opened.delete(ref);
  });
  let isClosed = false;
  const keep = <Surface extends Closable>(open: () => Surface): Surface => {
    if (isClosed) throw new ClientError("closed", "The application closed it.");
    const surface = open();
    const ref = new WeakRef(surface);
    opened.add(ref);
    dropped.register(surface, ref);
    surface.state.onChange(() => {
      if (surface.state.get().kind === "closed") opened.delete(ref);
    });
    return surface;
  };
  return {
    topic: (topic, how) => keep(() => openTopic(options, topic, how)),
    room: (room, how) => keep(() => openRoom(options, room, how)),
    chat: (request, how) => keep(() => startChat(options, request, how)),
    resumeChat: (id, how) => keep(() => resumeChat(options, id, how)),
    close() {
      isClosed = true;
      for (const ref of opened) ref.deref()?.close();
    },
  };
}
