/** Owns cutting a body into lines as it arrives. Refuses to know what is in them. */
import { SluiceError } from "../protocol/errors.ts";

const LINE_BREAK = /\r?\n/;

/**
 * The lines of each read together, the unfinished last one with the next read. Nothing is read that
 * was not asked for (B1). A last line needs no line break.
 *
 * @throws SluiceError `message_too_large` for a line of more than `maxChars` characters.
 */
export async function* readLines(
  body: AsyncIterable<Uint8Array>,
  maxChars: number,
): AsyncGenerator<readonly string[], void, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split(LINE_BREAK);
    rest = lines.pop() ?? "";
    if (rest.length > maxChars || lines.some(({ length }) => length > maxChars)) {
      throw new SluiceError("message_too_large", {
        detail: `A line may have ${maxChars} characters at most.`,
      });
    }
    if (lines.length > 0) yield lines;
  }
  rest += decoder.decode();
  if (rest !== "") yield [rest];
}
