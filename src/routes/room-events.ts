/** Owns a room as a read-only event stream. Refuses to know the room itself: it reads frames. */
import { expiryOf } from "../auth/principal.ts";
import type { WelcomeFrame } from "../protocol/frames.ts";
import { describeGap } from "../protocol/gap.ts";
import { toJson } from "../protocol/json.ts";
import { formatPosition } from "../protocol/position.ts";
import type { ReaderStart } from "../protocol/reader-start.ts";
import { encodeEvent, encodeId } from "../sse/encode.ts";
import { type GatewayFrame, positionBefore, readFrames } from "../sse/gateway.ts";
import { respondWithEvents, respondWithoutEvents } from "../sse/response.ts";
import { openScope } from "../stream/abort.ts";
import type { AppContext } from "./app-env.ts";
import { isHead } from "./is-head.ts";
import { describeFrames } from "./log-stream.ts";
import { openReader, wouldOpenReader } from "./open-reader.ts";
import { permitHeaders } from "./require-access.ts";
import { openCounted } from "./slots.ts";
import { chooseReadDoor } from "./room-readers.ts";
import type { RoomStub } from "./room-stub.ts";

/**
 * Streams a room's messages: `id` is the position, `event` the message's event, `data` JSON with
 * sender, time, id and payload. A `gap` event says what is no longer stored. The position to begin with
 * is told at once, so that nothing is lost to a connection that breaks before its first event.
 *
 * @throws SluiceError `room_overloaded` when the room lets nobody in now, `quota_exceeded`.
 */
export async function respondWithRoomEvents(
  c: AppContext,
  room: string,
  stub: RoomStub,
  start: ReaderStart,
): Promise<Response> {
  const { deps, config } = c.var;
  const headers = permitHeaders(c, "rooms", room);
  const door = chooseReadDoor(c, room, stub);
  if (isHead(c)) {
    await wouldOpenReader(door.stub, start, headers);
    return respondWithoutEvents();
  }
  const socket = await openCounted(
    c,
    door.holder,
    async (slots) => await openReader(door.stub, start, { ...headers, ...slots }),
  );
  const scope = openScope(c.req.raw.signal);
  const frames = readFrames(socket, {
    clock: deps.clock,
    signal: scope.signal,
    expiresAt: expiryOf(c.var.principal),
  });
  return respondWithEvents(describeFrames(frames, deps.random(), describerFrom(start)), {
    clock: deps.clock,
    keepaliveMs: config.keepaliveMs,
    abort: scope.abort,
  });
}

function describerFrom(start: ReaderStart): (frame: GatewayFrame) => string {
  let epoch = "";
  return (frame) => {
    if (frame.kind !== "welcome") return describeFrame(frame, epoch);
    ({ epoch } = frame);
    return encodeId(formatPosition(positionBefore(start, frame)));
  };
}

function describeFrame(frame: Exclude<GatewayFrame, WelcomeFrame>, epoch: string): string {
  const position = (seq: number): string => formatPosition({ epoch, seq });
  switch (frame.kind) {
    // Rooms neither end nor leave anything out.
    case "end":
    case "latest":
      return "";
    case "gap":
      return encodeEvent({
        id: position(frame.to),
        event: "gap",
        data: describeGap(epoch, frame),
      });
    case "deliver":
      return frame.entries
        .map(({ sender, at, event, payload, id }, index) =>
          encodeEvent({
            id: position(frame.first + index),
            event,
            data: JSON.stringify({ sender, at, id, payload: toJson(payload) }),
          }),
        )
        .join("");
  }
}
