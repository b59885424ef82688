/**
 * Owns the messages: 100 bytes that carry their number and when they were sent, in ASCII, so that
 * every peer can carry them and every member can check them where they lie.
 */
const INDEX_DIGITS = 8;
const TIME_DIGITS = 16;
const LENGTH = 100;

/** Message number `index`, sent at so many milliseconds of the machine's monotonic clock. */
export function messageText(index: number, sentAt: number): string {
  const number = String(index).padStart(INDEX_DIGITS, "0");
  const time = String(Math.round(sentAt * 1000)).padStart(TIME_DIGITS, "0");
  return `${number}${time}`.padEnd(LENGTH, ".");
}

/** The number of the message whose text begins at `start`. */
export function indexAt(bytes: Uint8Array, start: number): number {
  return digits(bytes, start, INDEX_DIGITS);
}

/** When the message whose text begins at `start` was sent. */
export function sentAtOf(bytes: Uint8Array, start: number): number {
  return digits(bytes, start + INDEX_DIGITS, TIME_DIGITS) / 1000;
}

function digits(bytes: Uint8Array, start: number, count: number): number {
  let value = 0;
  for (let i = start; i < start + count; i += 1) value = value * 10 + (bytes[i] ?? 0) - 48;
  return value;
}
