/** Owns a room's history over HTTP: a page as JSON, all of it as NDJSON. Refuses to know the room itself. */
import type { From } from "../../durable-objects/log/log.ts";
import { rawToJson } from "../protocol/json.ts";
import type { AppContext } from "./app-env.ts";
import { exportHistory, type History, readHistory } from "./history.ts";
import { requireAccess } from "./require-access.ts";
import { unrevoked } from "./revocations.ts";
import type { RoomStub } from "./room-stub.ts";

/** A page of messages. */
export async function respondWithMessages(
  c: AppContext,
  room: string,
  stub: RoomStub,
  query: { readonly from: From; readonly maxEntries: number },
): Promise<Response> {
  const history = historyOf(stub);
  const { gap, items, next, done } = await readHistory(history, query.from, query.maxEntries);
  const body =
    `{"room":${JSON.stringify(room)},${gap === undefined ? "" : `"gap":${gap},`}` +
    `"messages":[${items.join(",")}],"next":${JSON.stringify(next)},"done":${done}}`;
  return c.body(body, 200, { "content-type": "application/json", "cache-control": "no-store" });
}

/** All messages from a position on, a line each. */
export async function exportMessages(
  c: AppContext,
  room: string,
  stub: RoomStub,
  from: From,
): Promise<Response> {
  const mayGoOn = async (): Promise<void> => {
    requireAccess(c, "rooms", room, "history");
    await unrevoked(c, stub);
  };
  return await exportHistory(c, historyOf(stub), { from, mayGoOn });
}

function historyOf(stub: RoomStub): History<Awaited<ReturnType<RoomStub["read"]>>> {
  return {
    read: async (from, size) => await stub.read(from, size),
    describe: ({ sender, at, event, payload, id }, position) =>
      JSON.stringify({ position, sender, at, event, payload: rawToJson(payload), id }),
  };
}
