/** Owns what the doors of a room know of its object. */
import type { RoomObject } from "../../durable-objects/room.ts";

export type RoomStub = DurableObjectStub<RoomObject>;
