/** Owns an outbox's storage that lives as long as the program: for tests, and for rooms that are opened again. */
import type { OutboxMessage, OutboxStorage } from "./types.ts";

/** Keeps messages in memory. */
export function memoryOutbox(): OutboxStorage {
  const boxes = new Map<string, Map<string, OutboxMessage>>();
  const open = (box: string): Map<string, OutboxMessage> => {
    const messages = boxes.get(box) ?? new Map<string, OutboxMessage>();
    boxes.set(box, messages);
    return messages;
  };
  return {
    load: async (box) => [...open(box).values()],
    // Done at once: whoever waits has nothing to wait for.
    add: async (box, message) => {
      open(box).set(message.id, message);
    },
    remove: async (box, ids) => {
      for (const id of ids) open(box).delete(id);
    },
  };
}
