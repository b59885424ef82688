/** Owns where the others' carets are in the text. Refuses to know how they are drawn. */
import { decodeCaret, placeOf } from "./caret.js";

/**
 * @typedef {import("./caret.js").Caret} Caret
 * @typedef {{ readonly member: string, readonly state: unknown }} Member
 */

export class Others {
  /** The last caret of each that had a place. @type {ReadonlyMap<string, Caret>} */
  #known = new Map();

  /**
   * @param {import("yjs").Text} text
   * @param {readonly Member[]} members with what they show
   * @returns {readonly import("./pieces.js").Placed[]}
   */
  find(text, members) {
    const before = this.#known;
    /** @type {Map<string, Caret>} */
    const known = new Map();
    this.#known = known;
    return members.flatMap(({ member, state }) => {
      const { caret: encoded } = /** @type {{ readonly caret?: unknown } | null} */ (state) ?? {};
      const shown = decodeCaret(text, encoded);
      if (shown === undefined) return [];
      // It may be here before the letters that it stands beside.
      for (const caret of [shown, before.get(member)]) {
        const place = caret && placeOf(text, caret);
        if (caret === undefined || place === undefined) continue;
        known.set(member, caret);
        return [{ member, ...place, key: `${member} ${JSON.stringify(caret)}` }];
      }
      return [];
    });
  }
}
