/** Owns the reading of JSON bodies: capped while they are read, shallow, and really JSON. */
import { bodyLimit } from "hono/body-limit";
import { SluiceError } from "../protocol/errors.ts";
import { MAX_JSON_DEPTH } from "../protocol/limits.ts";
import type { AppContext } from "./app-env.ts";

/**
 * The request's body. The content type is not looked at: `curl -d` and a bare `fetch` send the wrong
 * one, and pages are kept out by their origin.
 *
 * @throws SluiceError `body_too_large`, `invalid_json`.
 */
export async function readJson(c: AppContext): Promise<unknown> {
  return parseJson(new TextDecoder().decode(await readBody(c)));
}

/**
 * The request's body as it is.
 *
 * @throws SluiceError `body_too_large`.
 */
export async function readBody(c: AppContext): Promise<Uint8Array> {
  const maxSize = c.var.config.maxBodyBytes;
  let bytes = new ArrayBuffer(0);
  await bodyLimit({
    maxSize,
    onError: () => {
      throw new SluiceError("body_too_large", {
        detail: `A body may have ${maxSize} bytes at most.`,
      });
    },
  })(c, async () => {
    bytes = await c.req.arrayBuffer();
  });
  return new Uint8Array(bytes);
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
