/**
 * Owns the messages: text that carries its number and when it was sent, in ASCII, so that every peer
 * can carry it and every reader can check it where it lies.
 */
const INDEX_DIGITS = 8;
const TIME_DIGITS = 16;

/** Message number `index` of `length` bytes, sent at so many milliseconds of the machine's monotonic clock. */
export function messageText(index: number, sentAt: number, length: number): string {
  const number = String(index).padStart(INDEX_DIGITS, "0");
  const time = String(Math.round(sentAt * 1000)).padStart(TIME_DIGITS, "0");
  return `${number}${time}`.padEnd(length, ".");
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
