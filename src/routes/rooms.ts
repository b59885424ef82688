/**
 * Owns the doors of a room: the socket of its members, and HTTP for everybody else. Refuses to know
 * what a room does with what it is given.
 */
import { Hono } from "hono";
import { DOOR_HEADER } from "../../durable-objects/platform/headers.ts";
import { unwrap } from "../../durable-objects/platform/outcome.ts";
import { SluiceError } from "../protocol/errors.ts";
import { SUBPROTOCOL } from "../protocol/frames.ts";
import { rawToJson } from "../protocol/json.ts";
import { MAX_HISTORY } from "../protocol/limits.ts";
import { formatPosition, parsePosition } from "../protocol/position.ts";
import { startFrom } from "../protocol/reader-start.ts";
import type { AppContext, AppEnv } from "./app-env.ts";
import { formatWanted } from "./format-wanted.ts";
import { readRefusal } from "./open-reader.ts";
import { payersHeader, spendOn } from "./quota.ts";
import { openCounted } from "./slots.ts";
import { readCount } from "./read-count.ts";
import { permitHeaders } from "./require-access.ts";
import { readJson } from "./read-json.ts";
import { ELSEWHERE, readLastEventId } from "./last-event-id.ts";
import { parseFrom } from "./log-position.ts";
import { parseMessages } from "./room-envelope.ts";
import { respondWithRoomEvents } from "./room-events.ts";
import { readKey } from "./publish-key.ts";
import { bearingOf, revoke, unrevoked } from "./revocations.ts";
import { exportMessages, respondWithMessages } from "./room-messages.ts";
import { documentRoutes } from "./room-documents.ts";
import { requireMember, roomOf, senderOf } from "./room-stub.ts";

/** Messages of a page when the request names no number. */
const PAGE_MESSAGES = 100;

export function roomRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get("/v1/rooms/:room", async (c) => await join(c))
    .get("/v1/rooms/:room/messages", async (c) => {
      const { name, stub } = roomOf(c, "history");
      const format = formatWanted(c, ["ndjson"]);
      await unrevoked(c, stub);
      const from = parseFrom(c.req.query("after"));
      if (format === "ndjson") return await exportMessages(c, name, stub, from);
      const limit = readCount(c, "limit", { least: 1, most: MAX_HISTORY });
      const maxEntries = limit ?? PAGE_MESSAGES;
      return await respondWithMessages(c, name, stub, { from, maxEntries });
    })
    .post("/v1/rooms/:room/messages", async (c) => await publish(c))
    .get("/v1/rooms/:room/presence", async (c) => {
      const stub = await unrevoked(c, roomOf(c, "read").stub);
      const { count, members, complete } = await stub.presence();
      return c.json({
        count,
        complete,
        members: members.map(({ member, state }) => ({ member, state: rawToJson(state) })),
      });
    })
    .get("/v1/rooms/:room/stats", async (c) => {
      const stub = await unrevoked(c, roomOf(c, "admin").stub);
      return c.json(await stub.stats());
    })
    .post("/v1/rooms/:room/revocations", async (c) => await revoke(c, roomOf(c, "admin").stub))
    .get("/v1/rooms/:room/events", async (c) => {
      const { name, stub } = roomOf(c, "read");
      const resume = readLastEventId(c, parsePosition, ELSEWHERE);
      const newest = readCount(c, "history", { least: 0, most: MAX_HISTORY });
      return await respondWithRoomEvents(c, name, stub, startFrom(resume, newest));
    })
    .route("/", documentRoutes());
}

async function join(c: AppContext): Promise<Response> {
  const { name, stub } = roomOf(c, "read");
  // Members have names and may be spoken to; who has none reads the event stream.
  if (c.var.principal.kind === "anonymous") throw new SluiceError("unauthorized");
  if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
    throw new SluiceError("upgrade_required");
  }
  const offered = (c.req.header("sec-websocket-protocol") ?? "").split(",");
  if (!offered.some((name) => name.trim() === SUBPROTOCOL)) {
    throw new SluiceError("upgrade_required", {
      detail: `Connect with the WebSocket subprotocol ${SUBPROTOCOL}.`,
    });
  }
  requireMember(c);
  // Nothing of the caller's headers goes on: what the object reads in them, the Worker has decided.
  const headers = {
    upgrade: "websocket",
    [DOOR_HEADER]: "member",
    ...permitHeaders(c, "rooms", name),
    ...payersHeader(c),
  };
  return await openCounted(c, { kind: "room", name }, async (slots) => {
    const response = await stub.fetch("https://room/", { headers: { ...headers, ...slots } });
    if (response.status === 101) return response;
    throw await readRefusal(response);
  });
}

async function publish(c: AppContext): Promise<Response> {
  const { name, stub } = roomOf(c, "publish");
  const sender = senderOf(c, name);
  const envelopes = parseMessages(await readJson(c));
  const key = await readKey(c);
  const messages = envelopes.map(({ event, payload, id }, index) => {
    const ownId = key === undefined ? c.var.deps.newId() : `${key}${index}`;
    return { sender, event, payload, id: id ?? ownId };
  });
  const { epoch, seqs } = await spendOn(c, { publishes: messages.length }, async () =>
    unwrap(await stub.publish(messages, { key, bearing: bearingOf(c) })),
  );
  return c.json({ room: name, positions: seqs.map((seq) => formatPosition({ epoch, seq })) }, 201);
}
