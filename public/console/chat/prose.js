/**
 * Owns the drawing of an answer while it is written: a few forms of Markdown, line by line, so that
 * what is on the page already is never drawn again. Text only ever becomes text: no HTML of a model
 * is parsed, and nothing of it can be clicked. Refuses to know where the text comes from.
 */

/** A line that may still become a list, a heading or a fence is not drawn before that is clear. */
const UNDECIDED = /^ {0,3}(?:[-*]|\d{1,9}\.?|#{1,4}|`{1,3})? ?$/;

/** Inline forms; in a line that is still being written the closing sign may be missing. */
const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^\s*](?:[^*]*[^\s*])?)\*/g;
const INLINE_OPEN = /`([^`]+)(?:`|$)|\*\*([^*]+)(?:\*\*|\*?$)|\*([^\s*](?:[^*]*[^\s*])?)\*/g;

export class Prose {
  /** @type {HTMLElement} */
  #root;
  /** What further lines of the same kind go into. @type {HTMLElement | undefined} */
  #block;
  /** The line that is being written, and how to take it off the page again. */
  #line = "";
  #undo = () => {};

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
  }

  /** @param {string} text */
  append(text) {
    const lines = (this.#line + text).split("\n");
    this.#undo();
    this.#undo = () => {};
    this.#line = lines.pop() ?? "";
    for (const line of lines) this.#draw(line, INLINE);
    if (UNDECIDED.test(this.#line)) return;
    const before = this.#block;
    const drawn = this.#draw(this.#line, INLINE_OPEN);
    this.#undo = () => {
      drawn?.remove();
      if (this.#block !== before) this.#block?.remove();
      this.#block = before;
    };
  }

  /** The last line is what it is. */
  end() {
    this.#undo();
    this.#undo = () => {};
    if (this.#line !== "") this.#draw(this.#line, INLINE);
    this.#line = "";
  }

  /**
   * @param {string} line
   * @param {RegExp} inline
   * @returns {HTMLElement | undefined} what the line became
   */
  #draw(line, inline) {
    if (/^ {0,3}```/.test(line)) {
      this.#block = this.#block?.tagName === "PRE" ? undefined : this.#add("pre");
      return undefined;
    }
    if (this.#block?.tagName === "PRE") return append(this.#block, "span", `${line}\n`);
    if (line.trim() === "") {
      this.#block = undefined;
      return undefined;
    }
    const heading = /^#{1,4} +(.*)$/.exec(line);
    if (heading !== null) {
      this.#block = undefined;
      const strong = this.#add("p");
      strong.className = "heading";
      drawInline(strong, heading[1] ?? "", inline);
      return strong;
    }
    const item = /^ {0,3}(?:[-*]|(\d{1,9})\.) +(.*)$/.exec(line);
    if (item !== null) {
      const [, number, text = ""] = item;
      const li = append(this.#open(number === undefined ? "ul" : "ol"), "li");
      if (number !== undefined) li.setAttribute("value", number);
      drawInline(li, text, inline);
      return li;
    }
    const span = append(this.#open("p"), "span");
    span.className = "line";
    drawInline(span, line, inline);
    return span;
  }

  /** @param {"p" | "ul" | "ol"} tag */
  #open(tag) {
    if (this.#block?.tagName !== tag.toUpperCase()) this.#block = this.#add(tag);
    return this.#block;
  }

  /** @param {string} tag */
  #add(tag) {
    return append(this.#root, tag);
  }
}

/**
 * @param {HTMLElement} parent
 * @param {string} line
 * @param {RegExp} inline
 */
function drawInline(parent, line, inline) {
  let at = 0;
  for (const match of line.matchAll(inline)) {
    parent.append(line.slice(at, match.index));
    const [whole, code, strong, em] = match;
    const tag = code !== undefined ? "code" : strong !== undefined ? "strong" : "em";
    append(parent, tag, code ?? strong ?? em);
    at = match.index + whole.length;
  }
  parent.append(line.slice(at));
}

/**
 * @param {HTMLElement} parent
 * @param {string} tag
 * @param {string} text
 */
function append(parent, tag, text = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  parent.append(element);
  return element;
}
