/** Owns which object serves a reader of a room's event stream. Refuses to know how. */
import { settingsFor } from "../../durable-objects/room/settings.ts";
import { nameReplica } from "../protocol/replica-name.ts";
import type { AppContext } from "./app-env.ts";
import type { RoomStub } from "./room-stub.ts";

/** An object that a reader's socket can be opened at. */
interface ReadDoor {
  readonly stub: Pick<Fetcher, "fetch">;
  /** As quotas name it. */
  readonly holder: { readonly kind: "room" | "room-replica"; readonly name: string };
}

/** The room's own object; or one of its replicas, any: they have the same messages at the same positions. */
export function chooseReadDoor(c: AppContext, room: string, stub: RoomStub): ReadDoor {
  const { replicas } = settingsFor(room, c.var.config.roomClasses);
  if (replicas === 0) return { stub, holder: { kind: "room", name: room } };
  const name = nameReplica(room, Math.floor(c.var.deps.random() * replicas));
  const replica = c.env.ROOM_REPLICAS.getByName(name);
  return { stub: replica, holder: { kind: "room-replica", name } };
}
