/** Owns what the doors of a room know of its object. */
import * as v from "valibot";
import type { RoomObject } from "../../durable-objects/room.ts";
import { SluiceError } from "../protocol/errors.ts";

export type RoomStub = DurableObjectStub<RoomObject>;

/** What the object said instead of letting a connection in. */
export async function readRefusal(response: Response): Promise<SluiceError> {
  const { retryAfter } = v.parse(v.object({ retryAfter: v.number() }), await response.json());
  return new SluiceError("room_overloaded", { retryAfter });
}
