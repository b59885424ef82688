/** Owns how long a request's address and headers may be. Refuses to know what they mean. */
import { SluiceError } from "../protocol/errors.ts";
import { MAX_HEADER_CHARS, MAX_URL_CHARS } from "../protocol/limits.ts";

/**
 * Looks at the size alone, before anything is parsed.
 *
 * @throws SluiceError `url_too_long`, `headers_too_large`.
 */
export function checkSize({ url, headers }: Request): void {
  if (url.length > MAX_URL_CHARS) throw new SluiceError("url_too_long");
  let size = 0;
  for (const [name, value] of headers) size += name.length + value.length;
  if (size > MAX_HEADER_CHARS) throw new SluiceError("headers_too_large");
}
