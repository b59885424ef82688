/**
 * Owns the one id under which a client resumes several topics: a position of each, in the order of
 * their names. Clients treat it as opaque, and it belongs to one set of topics. Refuses to know
 * whether positions are still stored.
 */
import type { Position } from "../protocol/frames.ts";
import { isEpoch } from "../protocol/names.ts";

const SEPARATOR = "~";
const BASE = 36;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The positions of several topics, of which some may have none yet. */
export class StreamPosition {
  readonly #tag: string;
  readonly #names: readonly string[];
  readonly #parts: string[];

  /** @param topics names without repetition. */
  constructor(topics: readonly string[], parts: readonly string[] = []) {
    this.#names = topics.toSorted();
    this.#tag = tagOf(this.#names);
    this.#parts = this.#names.map((_, index) => parts[index] ?? "");
  }

  /** What {@link toString} gave; undefined when it was not given for these topics. */
  static parse(topics: readonly string[], id: string): StreamPosition | undefined {
    const [tag, ...parts] = id.split(SEPARATOR);
    const position = new StreamPosition(topics, parts);
    const isWhole = tag === position.#tag && parts.length === topics.length;
    const isSound = parts.every((part) => part === "" || parsePart(part) !== undefined);
    return isWhole && isSound ? position : undefined;
  }

  /** Where a reader of this topic is; undefined when it has not begun. */
  get(topic: string): Position | undefined {
    return parsePart(this.#parts[this.#names.indexOf(topic)] ?? "");
  }

  set(topic: string, { epoch, seq }: Position): void {
    const index = this.#names.indexOf(topic);
    if (index !== -1) this.#parts[index] = `${epoch}_${seq.toString(BASE)}`;
  }

  toString(): string {
    return [this.#tag, ...this.#parts].join(SEPARATOR);
  }
}

function parsePart(part: string): Position | undefined {
  const [epoch = "", digits = "", ...rest] = part.split("_");
  const seq = Number.parseInt(digits, BASE);
  if (!isEpoch(epoch) || rest.length > 0 || !/^[0-9a-z]{1,11}$/.test(digits)) return undefined;
  return Number.isSafeInteger(seq) ? { epoch, seq } : undefined;
}

/** Tells sets of topics apart; a mistake is caught by it, malice is not, and gains nothing. */
function tagOf(names: readonly string[]): string {
  let hash = FNV_OFFSET;
  for (const byte of new TextEncoder().encode(names.join("\n"))) {
    hash = Math.imul(hash ^ byte, FNV_PRIME) >>> 0;
  }
  return hash.toString(BASE);
}
