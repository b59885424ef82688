/** Owns opening the socket over which a Worker reads an object's log. Refuses to know what it reads. */
import * as v from "valibot";
import { DOOR_HEADER, PROBE_HEADER, START_HEADER } from "../../durable-objects/platform/headers.ts";
import { SluiceError } from "../protocol/errors.ts";
import { encodeStart, type ReaderStart } from "../protocol/reader-start.ts";

/** The part of an object that accepts sockets. */
type Openable = Pick<Fetcher, "fetch">;

/**
 * A socket that may only read. Nothing of the client's headers goes on: what the object reads in
 * them, the Worker has decided.
 *
 * @throws SluiceError `room_overloaded` when the object lets nobody in now, `not_found`.
 */
export async function openReader(
  stub: Openable,
  start: ReaderStart,
  headers: Readonly<Record<string, string>> = {},
): Promise<WebSocket> {
  const socket = await tryOpenReader(stub, start, headers);
  if (socket === undefined) throw new Error("the object had nothing for a reader");
  return socket;
}

/** The same; undefined when the object says that the reader has everything there will ever be. */
export async function tryOpenReader(
  stub: Openable,
  start: ReaderStart,
  headers: Readonly<Record<string, string>>,
): Promise<WebSocket | undefined> {
  const response = await ask(stub, start, { ...headers, upgrade: "websocket" });
  if (response.status === 204) return undefined;
  if (response.webSocket === null) throw await readRefusal(response);
  return response.webSocket;
}

/**
 * What {@link tryOpenReader} would come to, for who wants no more than that: false when the object says
 * that the reader has everything.
 *
 * @throws SluiceError as if a socket were opened.
 */
export async function wouldOpenReader(
  stub: Openable,
  start: ReaderStart,
  headers: Readonly<Record<string, string>>,
): Promise<boolean> {
  const response = await ask(stub, start, { ...headers, [PROBE_HEADER]: "yes" });
  if (response.status === 204) return false;
  if (!response.ok) throw await readRefusal(response);
  return true;
}

async function ask(
  stub: Openable,
  start: ReaderStart,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  return await stub.fetch("https://object/", {
    headers: { ...headers, [DOOR_HEADER]: "viewer", [START_HEADER]: encodeStart(start) },
  });
}

const refusalSchema = v.object({
  code: v.picklist(["not_found", "room_overloaded", "token_revoked"]),
  retryAfter: v.number(),
});

/** What the object said instead of letting a connection in. */
export async function readRefusal(response: Response): Promise<SluiceError> {
  const { code, retryAfter } = v.parse(refusalSchema, await response.json());
  return new SluiceError(code, retryAfter === 0 ? {} : { retryAfter });
}
