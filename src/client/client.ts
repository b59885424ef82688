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
  const opened = new Set<Closable>();
  let isClosed = false;
  const keep = <Surface extends Closable>(open: () => Surface): Surface => {
    if (isClosed) throw new ClientError("closed", "The application closed it.");
    const surface = open();
    opened.add(surface);
    surface.state.onChange(() => {
      if (surface.state.get().kind === "closed") opened.delete(surface);
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
      for (const surface of opened) surface.close();
    },
  };
}
