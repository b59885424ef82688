/** Owns what the replicas of a room are called. Refuses to know what they are. */

/** No room's name has it. */
const REPLICA_MARK = "#";

/** What a room's replica is called, by its number. */
export function nameReplica(room: string, number: number): string {
  return `${room}${REPLICA_MARK}${number}`;
}

/** The room that a replica is of, by the replica's name. */
export function roomOfReplica(name: string): string {
  return name.slice(0, Math.max(0, name.indexOf(REPLICA_MARK)));
}
