/**
 * Owns the shared documents of a room: kept for good, beside the log in which their changes are messages like any
 * others. Refuses to know members, who may change what, and what a document says.
 *
 * What was said of a document up to the mark, a position of the log, is stored in parts; what was said after it is
 * read from the log. So a change costs no row of its own, and moving the mark ("folding") costs a row or two for
 * each document that changed. The log calls {@link Documents.rescue} before it forgets anything.
 */
import { documentOf, isDocumentName, NO_VERSION } from "../../src/protocol/documents.ts";
import { readEntries } from "../../src/protocol/entries.ts";
import { SluiceError, toSluiceError } from "../../src/protocol/errors.ts";
import type { Raw } from "../../src/protocol/frames.ts";
import { MAX_DOCUMENT_BYTES, MAX_DOCUMENTS } from "../../src/protocol/limits.ts";
import type { Clock } from "../../src/stream/clock.ts";
import type { Log } from "../log/log.ts";
import type { Sql } from "../log/sql.ts";
import { type DocumentFacts, DocumentTable, type Part } from "./document-table.ts";
import { COMPACT_BYTES, DELETION_BYTES, FOLD_PAGE, PART_BYTES } from "./limits.ts";
import { type FoldMark, isFarBehind, readMark, writeMark } from "./fold-mark.ts";
import { binaryIn } from "./payload.ts";
import { isDeletion, isUpdate, joinAll, NOTHING } from "./update.ts";

/** What documents are given from outside. */
export interface DocumentContext {
  readonly sql: Sql;
  readonly clock: Clock;
  /** Runs statements of which all count or, when it throws, none. */
  readonly transact: (run: () => void) => void;
  /** Takes an unexpected error of what nobody waits for. */
  readonly report: (error: SluiceError) => void;
}

/** A document as it is read. */
export interface DocumentState {
  /** Another one with every change. */
  readonly version: string;
  /** Updates that are all of it together. */
  readonly parts: readonly Uint8Array[];
  /** Worth trying to make smaller: see {@link Documents.compact}. */
  readonly compaction: number | undefined;
}

/** A document as it is listed. */
export interface DocumentSummary {
  readonly document: string;
  readonly version: string;
  readonly bytes: number;
  /** Milliseconds since the Unix epoch. */
  readonly updatedAt: number;
}

/** What was said of a document behind the mark. */
interface News {
  readonly updates: Uint8Array[];
  at: number;
}

/** The part of a log that documents need. */
export type DocumentLog = Pick<
  Log,
  "tail" | "bytesEver" | "epoch" | "readAfter" | "settings" | "trimWhenDue"
>;

export class Documents {
  readonly #table: DocumentTable;
  readonly #context: DocumentContext;
  readonly #known: Map<string, DocumentFacts>;
  #mark: FoldMark | undefined;
  /** Up to here the log is known to hold no change behind the mark. */
  #quiet = 0;
  /** The newest part up to which each document was tried to be made smaller: one that cannot be is not tried again. */
  readonly #tried = new Map<string, number>();

  constructor(context: DocumentContext) {
    this.#context = context;
    this.#table = new DocumentTable(context.sql);
    this.#known = this.#table.all();
  }

  /** Figures for those who watch the room. */
  get stats(): { readonly count: number; readonly bytes: number; readonly rowsWritten: number } {
    const there = [...this.#known.values()].filter(({ isGone }) => !isGone);
    const bytes = there.reduce((sum, facts) => sum + bytesOf(facts), 0);
    return { count: there.length, bytes, rowsWritten: this.#table.rowsWritten };
  }

  /**
   * Looks whether a message is fit to change the document that its event names.
   *
   * @throws SluiceError `bad_name`, `bad_payload`.
   */
  check(event: string, payload: Raw): void {
    const name = documentOf(event);
    if (name === undefined) return;
    requireName(name);
    const update = binaryIn(payload);
    if (update !== undefined && isUpdate(update)) return;
    throw new SluiceError("bad_payload", {
      detail: "Events that begin with `doc:` carry a Yjs update as binary.",
      param: "payload",
    });
  }

  /**
   * Lets a message that was checked be stored. A document begins with the first one of it: from then on its changes are
   * looked for.
   *
   * @throws SluiceError `document_full`, `document_deleted`, `too_many_documents`.
   */
  admit(log: DocumentLog, event: string, payload: Raw): void {
    const name = documentOf(event);
    if (name === undefined) return;
    const update = binaryIn(payload) ?? NOTHING;
    this.#admit(log, name, { bytes: update.byteLength, takesAway: () => isDeletion(update) });
  }

  /**
   * Stores at once a change that is too large for a message, and was looked at. To be told in a message without a
   * payload.
   *
   * @throws SluiceError `bad_name`, and as {@link admit}.
   */
  change(log: DocumentLog, name: string, update: Uint8Array): void {
    requireName(name);
    this.#admit(log, name, { bytes: update.byteLength, takesAway: () => false });
    const news = { updates: [update], at: this.#context.clock.now() };
    this.#store(new Map([[name, news]]), () => {});
  }

  /**
   * A document with every change that was published before; one that was never changed is empty. Writes nothing.
   *
   * @throws SluiceError `bad_name`, `document_deleted`.
   */
  read(log: DocumentLog, name: string): DocumentState {
    requireName(name);
    const news = this.#newsOf(log).get(name);
    const facts = this.#known.get(name);
    if (facts === undefined) return readNoDocument(name);
    if (facts.isGone) throw new SluiceError("document_deleted");
    const stored = facts.parts.map((part) => this.#table.read(name, part));
    return {
      version: versionOf(log, facts, news),
      parts: news === undefined ? stored : [...stored, ...joinAll(news.updates)],
      compaction: this.#compactionOf(name, facts),
    };
  }

  /** Every document that was not deleted, by name. */
  list(log: DocumentLog): readonly DocumentSummary[] {
    const news = this.#newsOf(log);
    return [...this.#known]
      .filter(([, { isGone }]) => !isGone)
      .map(([document, facts]) => ({
        document,
        version: versionOf(log, facts, news.get(document)),
        bytes: bytesOf(facts, news.get(document)),
        updatedAt: news.get(document)?.at ?? facts.at,
      }))
      .toSorted((a, b) => (a.document < b.document ? -1 : 1));
  }

  /**
   * Puts a smaller update in the place of the parts up to `upTo` that says the same or more of what was said.
   *
   * @param upTo what {@link read} has called `compaction`. When the parts are others by now, nothing happens.
   */
  compact(name: string, upTo: number, update: Uint8Array): void {
    const facts = this.#known.get(name);
    const [first] = facts?.parts ?? [];
    const isThere = facts?.parts.some(({ number }) => number === upTo) === true;
    if (facts === undefined || first === undefined || !isThere || facts.isGone) return;
    const { at } = facts;
    this.#context.transact(() => {
      this.#table.remove(name, first.number, upTo);
      this.#table.insert(name, { number: upTo, at, isGone: false }, update);
    });
    const later = facts.parts.filter(({ number }) => number > upTo);
    this.#known.set(name, {
      ...facts,
      parts: [{ number: upTo, bytes: update.byteLength }, ...later],
    });
  }

  /**
   * Forgets a document for good: nobody can change it again, or whoever still has it would bring it back. To be
   * told in a message without a payload.
   *
   * @returns whether there ever was one.
   * @throws SluiceError `bad_name`.
   */
  delete(name: string): boolean {
    requireName(name);
    const facts = this.#known.get(name);
    if (facts === undefined) return false;
    const number = nextNumber(facts);
    const at = this.#context.clock.now();
    this.#context.transact(() => {
      this.#table.remove(name, 0, number);
      this.#table.insert(name, { number, at, isGone: true }, new Uint8Array());
    });
    this.#known.set(name, { at, parts: [{ number, bytes: 0 }], isGone: true });
    return true;
  }

  /** Folds when so much lies behind the mark that looking through it would take long. */
  foldWhenDue(log: DocumentLog): void {
    const mark = this.#markOf(log);
    if (mark === undefined || !isFarBehind(mark, log)) return;
    try {
      this.fold(log);
    } catch (thrown) {
      // It is tried again with the next message, and nothing is removed before.
      this.#context.report(toSluiceError(thrown));
    }
  }

  /** Entries up to `upTo` are about to be removed: whether they may be. */
  rescue(log: DocumentLog, upTo: number): boolean {
    const mark = this.#markOf(log);
    if (mark === undefined || mark.seq >= upTo) return true;
    try {
      this.fold(log);
      return true;
    } catch (thrown) {
      // It is tried again, and a room that keeps too much goes on.
      this.#context.report(toSluiceError(thrown));
      return false;
    }
  }

  /** Stores what lies behind the mark with its documents, and moves the mark to the log's end. */
  fold(log: DocumentLog): void {
    const news = this.#newsOf(log);
    if (this.#markOf(log) === undefined) return;
    this.#store(news, () => {
      this.#mark = writeMark(log);
    });
  }

  /** What was said behind the mark, by document: of those that are there. */
  #newsOf(log: DocumentLog): ReadonlyMap<string, News> {
    // Or reading would do it in the middle, which folds as well.
    log.trimWhenDue();
    const news = new Map<string, News>();
    const mark = this.#markOf(log);
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
      for (const { event, payload, at } of readEntries(page.entries)) {
        const name = documentOf(event);
        const update = name === undefined ? undefined : binaryIn(payload);
        if (name === undefined || update === undefined) continue;
        // Deleted since it was said, or said before the room knew documents.
        if (this.#known.get(name)?.isGone !== false) continue;
        const before = news.get(name);
        if (before === undefined) news.set(name, { updates: [update], at });
        else {
          before.updates.push(update);
          before.at = at;
        }
      }
      seq = page.last;
      if (news.size === 0) this.#quiet = seq;
    }
    return news;
  }

  #store(news: ReadonlyMap<string, News>, andThen: () => void): void {
    const stored = new Map<string, DocumentFacts>();
    const before = this.#mark;
    try {
      this.#context.transact(() => {
        for (const [name, { updates, at }] of news) stored.set(name, this.#add(name, updates, at));
        andThen();
      });
    } catch (thrown) {
      this.#mark = before;
      throw thrown;
    }
    for (const [name, facts] of stored) this.#known.set(name, facts);
  }

  #add(name: string, updates: readonly Uint8Array[], at: number): DocumentFacts {
    const { parts = [] } = this.#known.get(name) ?? {};
    const newest = parts.at(-1);
    const fresh = joinAll(updates);
    const whole =
      newest === undefined || newest.bytes >= PART_BYTES
        ? undefined
        : joinAll([this.#table.read(name, newest), ...fresh]);
    // What is stored gives way only to what holds all of it.
    const isWhole = newest !== undefined && whole?.length === 1;
    const kept = isWhole ? parts.slice(0, -1) : parts;
    if (isWhole) this.#table.remove(name, newest.number, newest.number);
    let number = nextNumber({ parts });
    const added: Part[] = [];
    for (const content of isWhole ? whole : fresh) {
      added.push(this.#table.insert(name, { number, at, isGone: false }, content));
      number += 1;
    }
    return { at, parts: [...kept, ...added], isGone: false };
  }

  #admit(
    log: DocumentLog,
    name: string,
    { bytes, takesAway }: { readonly bytes: number; readonly takesAway: () => boolean },
  ): void {
    const facts = this.#known.get(name);
    if (facts === undefined) {
      this.#begin(log, name);
      return;
    }
    if (facts.isGone) throw new SluiceError("document_deleted");
    const sum = bytes + bytesOf(facts);
    if (sum <= MAX_DOCUMENT_BYTES) return;
    // Or nobody could make room.
    if (sum <= MAX_DOCUMENT_BYTES + DELETION_BYTES && takesAway()) return;
    // So that whoever reads it next makes it smaller by what was deleted since.
    if (this.#newsOf(log).has(name)) this.fold(log);
    const detail = `A document may have ${MAX_DOCUMENT_BYTES} bytes at most.`;
    throw new SluiceError("document_full", { detail });
  }

  #begin(log: DocumentLog, name: string): void {
    if (this.stats.count >= MAX_DOCUMENTS) {
      const detail = `A room may have ${MAX_DOCUMENTS} documents at most.`;
      throw new SluiceError("too_many_documents", { detail });
    }
    this.#table.make();
    const at = this.#context.clock.now();
    let mark = this.#markOf(log);
    this.#context.transact(() => {
      mark ??= writeMark(log);
      this.#table.insert(name, { number: 0, at, isGone: false }, NOTHING);
    });
    this.#mark = mark;
    const part = { number: 0, bytes: NOTHING.byteLength };
    this.#known.set(name, { at, parts: [part], isGone: false });
  }

  /** The newest part, when making one smaller part of all is worth trying, which it is once. */
  #compactionOf(name: string, facts: DocumentFacts): number | undefined {
    const newest = facts.parts.at(-1)?.number;
    if (bytesOf(facts) < COMPACT_BYTES || this.#tried.get(name) === newest) return undefined;
    if (newest !== undefined) this.#tried.set(name, newest);
    return newest;
  }

  #markOf(log: DocumentLog): FoldMark | undefined {
    // A room without documents has no mark, and is not asked for one with every message.
    if (this.#known.size === 0) return undefined;
    this.#mark ??= readMark(log);
    return this.#mark;
  }
}

/**
 * What is read of a document that nobody has changed yet.
 *
 * @throws SluiceError `bad_name`.
 */
export function readNoDocument(name: string): DocumentState {
  requireName(name);
  return { version: NO_VERSION, parts: [], compaction: undefined };
}

/** @throws SluiceError `bad_name`. */
function requireName(name: string): void {
  if (isDocumentName(name)) return;
  const detail =
    "A document's name is 1 to 60 letters, digits, `.`, `_`, `:` and `-`, and neither `.` nor `..`.";
  throw new SluiceError("bad_name", { detail, param: "document" });
}

function bytesOf({ parts }: DocumentFacts, news?: News): number {
  const stored = parts.reduce((sum, part) => sum + part.bytes, 0);
  return (news?.updates ?? []).reduce((sum, update) => sum + update.byteLength, stored);
}

function nextNumber({ parts }: Pick<DocumentFacts, "parts">): number {
  return (parts.at(-1)?.number ?? -1) + 1;
}

function versionOf(
  { epoch }: DocumentLog,
  { parts }: DocumentFacts,
  news: News | undefined,
): string {
  const number = parts.at(-1)?.number ?? 0;
  const count = news?.updates.length ?? 0;
  return number === 0 && count === 0 ? NO_VERSION : `${epoch}.${number}.${count}`;
}
