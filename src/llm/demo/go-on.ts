/** Owns going on with an answer of the demo that has broken off. Refuses to know what it says. */
import type { Piece, Script } from "./script.ts";

/** The script from where `said` ends. What was thought before it, was thought before. */
export function goOn(script: Script, said: string): Script {
  return said === "" ? script : { ...script, pieces: skip(script.pieces, said) };
}

function* skip(pieces: Iterable<Piece>, said: string): Generator<Piece, void, undefined> {
  let rest = said;
  for (const piece of pieces) {
    if (rest === "") yield piece;
    else if ("content" in piece) {
      const { content } = piece;
      if (rest.startsWith(content)) {
        rest = rest.slice(content.length);
        continue;
      }
      // Cut in the middle of a token, or somebody else's text: that is followed by the demo's own.
      const known = content.startsWith(rest) ? rest.length : 0;
      rest = "";
      yield { content: content.slice(known) };
    }
  }
}
