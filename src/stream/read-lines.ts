/** Owns cutting a body into lines as it arrives. Refuses to know what is in them. */
import { concat } from "../protocol/bytes.ts";
import { SluiceError } from "../protocol/errors.ts";

const LF = 0x0a;
const CR = 0x0d;

/**
 * The lines of each read together, the unfinished last one with the next read. Nothing is read that
 * was not asked for (B1). A last line needs no line break.
 *
 * Cut as bytes, because no character has a line break within: so a line that is broken spoils none
 * of those before it.
 *
 * @throws SluiceError `message_too_large` for a line of more than `maxBytes` bytes, `invalid_json` for
 *   one that is not UTF-8, after the lines before it; its member says which line.
 */
export async function* readLines(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<readonly string[], void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let parts: Uint8Array[] = [];
  let size = 0;
  let line = 1;
  const add = (part: Uint8Array): void => {
    size += part.byteLength;
    if (size > maxBytes) {
      const detail = `A line may have ${maxBytes} bytes at most.`;
      throw new SluiceError("message_too_large", { detail, members: { line } });
    }
    parts.push(part);
  };
  const finish = (): string => {
    const bytes = concat(parts);
    const end = bytes.at(-1) === CR ? -1 : bytes.byteLength;
    try {
      return decoder.decode(bytes.subarray(0, end));
    } catch (error) {
      const detail = "The line is not UTF-8.";
      throw new SluiceError("invalid_json", { detail, members: { line }, cause: error });
    } finally {
      parts = [];
      size = 0;
      line += 1;
    }
  };
  for await (const bytes of body) {
    const lines: string[] = [];
    let from = 0;
    try {
      for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, from)) {
        add(bytes.subarray(from, at));
        lines.push(finish());
        from = at + 1;
      }
      add(bytes.subarray(from));
    } finally {
      if (lines.length > 0) yield lines;
    }
  }
  if (size > 0) yield [finish()];
}
