/** Owns finding the bytes in a message's payload. Refuses to know what they mean. */
import type { Raw } from "../../src/protocol/frames.ts";
import { decodeValue } from "../../src/protocol/value.ts";

/** In MessagePack, a first byte of 0xc4 to 0xc6 is binary's. */
const FIRST_BINARY = 0xc4;
const LAST_BINARY = 0xc6;

/** A copy of the binary that a payload is; undefined when it is something else. */
export function binaryIn(payload: Raw): Uint8Array | undefined {
  const head = payload[0] ?? 0;
  if (head < FIRST_BINARY || head > LAST_BINARY) return undefined;
  return (decodeValue(payload) as Uint8Array).slice();
}
