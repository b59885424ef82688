/**
 * Owns putting the fields that a token decides over the state that a member shows. Refuses to decode
 * what the member shows: its bytes go on as they are.
 */
import { concat, encodeField, mapHeader } from "../../src/protocol/bytes.ts";
import { FrameError } from "../../src/protocol/frame-error.ts";
import type { Raw } from "../../src/protocol/frames.ts";
import { jsonToRaw } from "../../src/protocol/json.ts";
import { MAX_PRESENCE_BYTES } from "../../src/protocol/limits.ts";
import { FieldReader } from "../../src/protocol/reader.ts";
import { checkRaw, decodeValue } from "../../src/protocol/value.ts";

/** Fields by name, each encoded. */
type Fields = ReadonlyMap<string, Uint8Array>;

/** Fields as a permit carries them: a JSON object. */
export function parseFields(json: string | undefined): Fields {
  if (json === undefined) return new Map();
  const object = JSON.parse(json) as Readonly<Record<string, unknown>>;
  return new Map(Object.entries(object).map(([name, value]) => [name, jsonToRaw(value)]));
}

/**
 * The state that others see. A state that is no map has no fields to keep.
 *
 * @param former fields that another token had decided, and this one does not.
 * @throws FrameError `state_too_large`.
 */
export function mergeState(
  state: Raw | undefined,
  fields: Fields,
  former: Fields = new Map(),
): Raw | undefined {
  if (fields.size === 0 && former.size === 0) return state;
  const kept: Uint8Array[] = [];
  let pairs = 0;
  for (const [key, bytes] of readPairs(state)) {
    if (typeof key === "string" && (fields.has(key) || former.has(key))) continue;
    kept.push(bytes);
    pairs += 1;
  }
  for (const [name, value] of fields) kept.push(encodeField(name), value);
  const merged = checkRaw(concat([mapHeader(pairs + fields.size), ...kept]));
  if (merged.byteLength <= MAX_PRESENCE_BYTES) return merged;
  throw new FrameError("state_too_large", { param: "state" });
}

/** The pairs of a map, each as its key and the bytes of both. */
function* readPairs(state: Raw | undefined): Generator<readonly [unknown, Uint8Array]> {
  if (state === undefined || !isMap(state)) return;
  const reader = new FieldReader(state);
  for (let left = reader.mapHeader(); left > 0; left -= 1) {
    const key = reader.raw();
    const value = reader.raw();
    yield [decodeValue(key), concat([key, value])];
  }
}

function isMap([head = 0]: Uint8Array): boolean {
  return (head >= 0x80 && head <= 0x8f) || head === 0xde || head === 0xdf;
}
