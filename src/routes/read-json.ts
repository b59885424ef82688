/**
 * Owns the reading of JSON bodies: capped and timed while they are read, counted, shallow, and really
 * JSON in UTF-8. Refuses to know what they are for.
 */
import { SluiceError } from "../protocol/errors.ts";
import { MAX_JSON_DEPTH } from "../protocol/limits.ts";
import { concat } from "../protocol/bytes.ts";
import { readPieces } from "../stream/read-pieces.ts";
import type { AppContext } from "./app-env.ts";
import { spend } from "./quota.ts";

/**
 * The request's body. The content type is not looked at: `curl -d` and a bare `fetch` send the wrong
 * one, and pages are kept out by their origin.
 *
 * @throws SluiceError `unsupported_encoding`, `body_too_large`, `body_timeout`, `quota_exceeded`, `invalid_json`.
 */
export async function readJson(c: AppContext): Promise<unknown> {
  return parseBody(await readBody(c));
}

/**
 * The value of a body that was read.
 *
 * @throws SluiceError `invalid_json`.
 */
export function parseBody(body: Uint8Array): unknown {
  return parseJson(decode(body));
}

/**
 * The same of a request that may also have no body, and then means what is usual: an empty object. Over
 * a real connection a body that is not there is an empty one. An array is not one: taken for an object
 * without fields, it would ask for what is usual instead of what it says.
 *
 * @throws SluiceError what {@link readJson} throws, `invalid_request`.
 */
export async function readOptionalJson(c: AppContext): Promise<unknown> {
  const body = await readBody(c);
  const value = body.byteLength === 0 ? {} : parseBody(body);
  if (!Array.isArray(value)) return value;
  throw new SluiceError("invalid_request", { detail: "The body must be a JSON object." });
}

/**
 * The request's body as it is.
 *
 * @throws SluiceError `unsupported_encoding`, `body_too_large`, `body_timeout`, `quota_exceeded`.
 */
export async function readBody(c: AppContext): Promise<Uint8Array> {
  refuseCompressed(c);
  const bytes = await readBytes(c);
  await spend(c, { bytes: bytes.byteLength });
  return bytes;
}

/**
 * The request's body as text, its byte order mark included.
 *
 * @throws SluiceError what {@link readBody} throws, `invalid_request` when it is not UTF-8.
 */
export async function readText(c: AppContext): Promise<string> {
  const bytes = await readBody(c);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new SluiceError("invalid_request", { detail: "The body is not UTF-8.", cause: error });
  }
}

/**
 * Nothing unpacks a body: limits would count something else than what is read.
 *
 * @throws SluiceError `unsupported_encoding`.
 */
export function refuseCompressed(c: AppContext): void {
  const encoding = c.req.header("content-encoding")?.trim().toLowerCase() ?? "";
  if (encoding !== "" && encoding !== "identity") throw new SluiceError("unsupported_encoding");
}

/**
 * A text's value, if it is shallow and really JSON.
 *
 * @throws SluiceError `invalid_json`.
 */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) {
    throw new SluiceError("invalid_json", {
      detail: `The body is nested more than ${MAX_JSON_DEPTH} levels deep.`,
    });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new SluiceError("invalid_json", { cause: error });
  }
}

async function readBytes(c: AppContext): Promise<Uint8Array> {
  const { config, deps } = c.var;
  const body: ReadableStream<Uint8Array> | null = c.req.raw.body;
  if (body === null) return new Uint8Array();
  const { maxBodyBytes: max, bodyIdleMs: idleMs, bodyTimeoutMs: totalMs } = config;
  const refuse = (): never => {
    throw new SluiceError("body_too_large", { detail: `A body may have ${max} bytes at most.` });
  };
  // What says that it is too long is not kept, not even the beginning.
  if (Number(c.req.header("content-length") ?? 0) > max) refuse();
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of readPieces(body, { clock: deps.clock, idleMs, totalMs })) {
    size += piece.byteLength;
    if (size > max) refuse();
    pieces.push(piece);
  }
  return concat(pieces);
}

/** Broken bytes are an error, not replacement characters: what was meant is not what would be sent on. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch (error) {
    throw new SluiceError("invalid_json", { detail: "The body is not UTF-8.", cause: error });
  }
}

/** Counted on the text, because parsing makes what recursive code then overflows on. */
function isTooDeep(json: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < json.length; i += 1) {
    const character = json[i];
    if (inString) {
      if (character === "\\") i += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') {
      inString = true;
    } else if (character === "[" || character === "{") {
      depth += 1;
      if (depth > MAX_JSON_DEPTH) return true;
    } else if (character === "]" || character === "}") {
      depth -= 1;
    }
  }
  return false;
}
