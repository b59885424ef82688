/** Owns the door to rooms: what `sluice/client/room` exports. Refuses to know the other surfaces. */
import { socketRoom } from "./socket-transport.ts";
import { contextOf } from "../context.ts";
import type { ClientOptions } from "../options.ts";
import type { AnyEvents } from "../schema.ts";
import { sharedByTabs } from "../share.ts";
import { RoomSession } from "./session.ts";
import type { Room, RoomOptions } from "./types.ts";

/** A room. Nothing happens before somebody joins, reads or sends. */
export function openRoom<Events extends object = AnyEvents, State = unknown>(
  client: ClientOptions,
  name: string,
  options: RoomOptions<Events, State> = {},
): Room<Events, State> {
  const context = contextOf(client);
  const direct = socketRoom(context, name);
  const transport =
    client.transports?.room?.(name) ??
    sharedByTabs(context, "room", name, direct, async () => {
      const { shareRoom } = await import("../tabs/rooms.ts");
      return shareRoom(context, name, direct);
    });
  const session: Room = new RoomSession(context, transport, name, options);
  // What the types of events say is the application's word, or its validators'.
  return session as unknown as Room<Events, State>;
}
