/** Owns the door to shared documents: what `sluice/yjs` exports. Refuses to know how they are kept the same. */
import type * as Y from "yjs";
import { isDocumentName } from "../../protocol/documents.ts";
import { contextOf } from "../context.ts";
import { ClientError } from "../errors.ts";
import type { ClientOptions } from "../options.ts";
import type { Room } from "../room/types.ts";
import { DocumentSession } from "./session.ts";
import type { SharedDocument } from "./types.ts";

export type { DocumentState, SharedDocument } from "./types.ts";

/**
 * Keeps a Yjs document the same as the one of this name in a room, and so as everybody's who has it open. Joins the room, and
 * reads it from now on. What comes from there has the returned object as its transaction's `origin`.
 *
 * @param client the options of the client that the room is of: the same object shares its token.
 * @param name 1–60 letters, digits and `._:-`.
 * @throws ClientError `bad_name`.
 */
export function openDocument<Events extends object, State>(
  client: ClientOptions,
  room: Room<Events, State>,
  name: string,
  doc: Y.Doc,
): SharedDocument {
  if (!isDocumentName(name)) throw new ClientError("bad_name", "The document's name is none.");
  // What the types of events say is about the application's own.
  const session = new DocumentSession(contextOf(client), room as unknown as Room, name, doc);
  session.start();
  return session;
}
