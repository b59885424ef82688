/** Owns the shape of a client: three surfaces over one set of options. Refuses to know how they work. */
import type { Answer, ChatOptions, ChatRequest, ResumeOptions } from "./chat/types.ts";
import type { Room, RoomOptions } from "./room/types.ts";
import type { AnyEvents } from "./schema.ts";
import type { Topic, TopicOptions } from "./topic/types.ts";

/** Everything a server offers. */
export interface Client {
  /** A topic, or several over one connection. Nothing happens before somebody reads or publishes. */
  topic<Events extends object = AnyEvents>(
    topic: string | readonly string[],
    options?: TopicOptions<Events>,
  ): Topic<Events>;
  /** A room. Nothing happens before somebody joins, reads or sends. */
  room<Events extends object = AnyEvents, State = unknown>(
    room: string,
    options?: RoomOptions<Events, State>,
  ): Room<Events, State>;
  /** Asks, at once, for an answer that survives the connection. */
  chat(request: ChatRequest, options?: ChatOptions): Answer;
  /** Reads an answer that was asked for before, here or elsewhere. */
  resumeChat(id: string, options?: ResumeOptions): Answer;
  /**
   * Closes everything that was opened with this client. What is asked of it, or of them, after that is
   * refused with `closed`.
   */
  close(): void;
}
