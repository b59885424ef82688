/** Owns what the doors of a room know of its object, and as whom a caller speaks there. */
import type { RoomObject } from "../../durable-objects/room.ts";
import type { Capability } from "../protocol/capabilities.ts";
import { SluiceError } from "../protocol/errors.ts";
import { isMemberName, isRoomName } from "../protocol/names.ts";
import type { AppContext } from "./app-env.ts";
import { may, requireAccess } from "./require-access.ts";

export type RoomStub = DurableObjectStub<RoomObject>;

/** The room that the path names, for a caller who may do this to it. */
export function roomOf(
  c: AppContext,
  capability: Capability,
): { readonly name: string; readonly stub: RoomStub } {
  const name = c.req.param("room") ?? "";
  if (!isRoomName(name)) throw new SluiceError("bad_name", { param: "room" });
  requireAccess(c, "rooms", name, capability);
  return { name, stub: c.env.ROOMS.getByName(name) };
}

/** The member that a token speaks for; undefined where there is no token. */
export function requireMember(c: AppContext): string | undefined {
  const { principal } = c.var;
  if (principal.kind !== "subject") return undefined;
  const member = principal.access.member ?? principal.subject;
  if (isMemberName(member)) return member;
  throw new SluiceError("bad_name", { detail: "The token's `sub` is no name for a member." });
}

/** Who sends what a request publishes: a backend has no name; whoever is no backend does not speak as one. */
export function senderOf(c: AppContext, room: string): string {
  return may(c, "rooms", room, "admin") ? "" : (requireMember(c) ?? "");
}
