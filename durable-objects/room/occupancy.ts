/**
 * Owns whether anybody is in a room, as far as it was told: told once when the first member comes and
 * once when the last one goes, also when the room was down at that moment. Refuses to know who is told.
 */
import type { Meta } from "../log/meta.ts";

const OCCUPIED = "occupied";

/** Tells a change; in the turn in which it is noted. */
type Tell = (type: "room.occupied" | "room.vacated") => void;

/** Compares what was told with how many members there are now. */
export function noteOccupancy(
  memory: Pick<Meta, "get" | "set" | "delete">,
  members: number,
  tell: Tell,
): void {
  const wasOccupied = memory.get(OCCUPIED) !== undefined;
  if (members > 0 === wasOccupied) return;
  // What could not be told is not noted either, and so told with the next occasion.
  tell(wasOccupied ? "room.vacated" : "room.occupied");
  if (wasOccupied) memory.delete(OCCUPIED);
  else memory.set(OCCUPIED, "1");
}
