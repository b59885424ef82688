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
    load: (box) => Promise.resolve([...open(box).values()]),
    add: (box, message) => {
      open(box).set(message.id, message);
      return Promise.resolve();
    },
    remove: (box, ids) => {
      for (const id of ids) open(box).delete(id);
      return Promise.resolve();
    },
  };
}
