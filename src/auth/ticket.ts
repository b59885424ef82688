/**
 * Owns what a ticket looks like, and under which name it is kept. Refuses to know what it opens: it says
 * nothing itself.
 */

/** Random bytes of a ticket: nobody guesses them in the seconds that it counts. */
const BYTES = 32;

/** Characters of a hash that name the object which keeps the ticket: 256 objects share them. */
const SHARD_CHARS = 2;

/** A new ticket. Hexadecimal digits, so many that the platform takes them for a secret and hides them in its logs. */
export function makeTicket(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(BYTES)));
}

/** Whether a text may be a ticket. */
export function isTicket(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** What is kept in a ticket's place: who reads the storage has no ticket. */
export async function hashTicket(ticket: string): Promise<string> {
  return toHex(
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(ticket))),
  );
}

/** The name of the object that keeps a ticket with this hash. */
export function shardOf(hash: string): string {
  return hash.slice(0, SHARD_CHARS);
}

function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
