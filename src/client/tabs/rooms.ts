/** Owns how tabs share rooms: a connection for each membership. Loaded by the first page that shares one. */
import type { Context } from "../context.ts";
import { socketRoom } from "../room/socket-transport.ts";
import type { RoomTransport } from "../room/transport.ts";
import { carryByTabs } from "./carry.ts";
import { RoomLine } from "./room-line.ts";
import { surfaceOf } from "./seat.ts";

const surface = surfaceOf("room", (context, { room, resume }, upstream) => {
  const line = new RoomLine(upstream(socketRoom(context, room)), resume.member);
  return {
    line,
    serves: (target) => {
      const { member } = target.resume;
      // Who gives no name has the token's, and so have all in this group.
      const isSame = member === undefined || line.member === undefined || line.member === member;
      return target.room === room && isSame;
    },
  };
});

/** Carries a room by way of the tabs. @param direct connections of this tab's own. */
export function shareRoom(context: Context, room: string, direct: RoomTransport): RoomTransport {
  return carryByTabs(context, {
    surface,
    direct,
    targetOf: (resume) => ({ surface: "room", room, resume }),
    // Without a name and a token every tab is a guest of its own.
    isAlone: ({ member }) => member === undefined,
  });
}
