/**
 * Owns what was said of documents behind the mark: found in the log, and the mark moved. Refuses to know what is
 * stored before it.
 */
import { documentOf } from "../../src/protocol/documents.ts";
import { readEntries } from "../../src/protocol/entries.ts";
import { SluiceError } from "../../src/protocol/errors.ts";
import type { Entry, Raw } from "../../src/protocol/frames.ts";
import type { Log } from "../log/log.ts";
import { type FoldMark, readMark, writeMark } from "./fold-mark.ts";
import { FOLD_PAGE } from "./limits.ts";
import { binaryIn } from "./payload.ts";

/** The part of a log that documents need. */
export type DocumentLog = Pick<
  Log,
  "tail" | "bytesEver" | "epoch" | "readAfter" | "settings" | "trimWhenDue"
>;

/** What was said of a document behind the mark. */
export interface News {
  readonly updates: Uint8Array[];
  /** When it was said last, in milliseconds since the Unix epoch. */
  at: number;
}

/** What the reading of a log is given from outside. */
interface UnfoldedContext {
  /** Whether there is such a document: it has begun, and was not deleted. */
  readonly isThere: (name: string) => boolean;
  /** Takes an unexpected error of what nobody waits for. */
  readonly report: (error: SluiceError) => void;
}

export class Unfolded {
  readonly #context: UnfoldedContext;
  #mark: FoldMark | undefined;
  /** Up to here the log is known to hold no change behind the mark. */
  #quiet = 0;

  constructor(context: UnfoldedContext) {
    this.#context = context;
  }

  /** The mark, if there is one. */
  markIn(log: DocumentLog): FoldMark | undefined {
    this.#mark ??= readMark(log);
    return this.#mark;
  }

  /**
   * Moves the mark to the log's end.
   *
   * @param store writes what it is given together with its own, in one transaction; when it throws, the mark stays.
   */
  moveMark(log: DocumentLog, store: (write: () => void) => void): void {
    let mark = this.#mark;
    store(() => {
      mark = writeMark(log);
    });
    this.#mark = mark;
  }

  /** What was said behind the mark, by document: of those that are there. */
  read(log: DocumentLog): ReadonlyMap<string, News> {
    // Or reading would do it in the middle, which folds as well.
    log.trimWhenDue();
    const news = new Map<string, News>();
    const mark = this.markIn(log);
    if (mark === undefined) return news;
    let seq = Math.max(mark.seq, this.#quiet);
    while (seq < log.tail) {
      const page = log.readAfter(seq, FOLD_PAGE);
      if (page.kind === "gap") {
        // Removed by a version of the code that did not know documents. What is left is not to be lost, too.
        const cause = new Error("changes of documents were removed");
        this.#context.report(new SluiceError("internal", { cause }));
        seq = page.to;
        continue;
      }
      for (const entry of readEntries(page.entries)) this.#collect(entry, news);
      seq = page.last;
      if (news.size === 0) this.#quiet = seq;
    }
    return news;
  }

  #collect({ event, payload, at }: Entry<Raw>, news: Map<string, News>): void {
    const name = documentOf(event);
    const update = name === undefined ? undefined : binaryIn(payload);
    // Deleted since it was said, or said before the room knew documents.
    if (name === undefined || update === undefined || !this.#context.isThere(name)) return;
    const before = news.get(name);
    if (before === undefined) {
      news.set(name, { updates: [update], at });
      return;
    }
    before.updates.push(update);
    before.at = at;
  }
}
