/** Owns frames that no encoder of ours would write. */
import { encode } from "@msgpack/msgpack";

/** Any value as a WebSocket message. */
export function pack(value: unknown): Uint8Array {
  return encode(value);
}
