/** Owns the classes of rooms that tests inside workerd use. The class of a room begins its name. */

/** `ROOM_CLASSES` of the Worker under test: each class makes one limit small enough to meet. */
export const ROOM_CLASSES = {
  /** Keeps few messages. */
  short: { maxMessages: 10 },
  /** Keeps messages for an instant. */
  brief: { maxAgeMs: 1 },
  /** Keeps few bytes. */
  light: { maxBytes: 1_000 },
  /** Drops who does not keep up. */
  strict: { laggards: "disconnect" },
  /** Drops who does not keep up as soon as it looks. */
  impatient: { patienceMs: 1 },
  /** Lets members say little: a burst of four messages. */
  calm: { messagesPerSecond: 1 },
  /** Lets members say a lot. */
  wild: { messagesPerSecond: 100_000, bytesPerSecond: 1_000_000_000 },
  /** Lets in few at a time: a burst of four. */
  narrow: { joinsPerSecond: 1 },
  /** Spreads its readers. */
  wide: { replicas: 3 },
  /** Spreads its readers, and keeps few messages. */
  wideshort: { replicas: 2, maxMessages: 10 },
  /** Holds few. */
  small: { maxConnections: 2 },
} as const;
