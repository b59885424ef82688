/**
 * Owns the shared documents of a room: kept for good, beside the log in which their changes are messages like any
 * others. Refuses to know members, who may change what, and what a document says.
 *
 * What was said of a document up to the mark, a position of the log, is stored in parts; what was said after it is
 * read from the log. So a change costs no row of its own, and moving the mark ("folding") costs a row or two for
 * each document that changed. The log calls {@link Documents.rescue} before it forgets anything.
 */
import { documentOf, eventOf, isDocumentName, NO_VERSION } from "../../src/protocol/documents.ts";
import { readEntries } from "../../src/protocol/entries.ts";
import { SluiceError, toSluiceError } from "../../src/protocol/errors.ts";
import type { Raw } from "../../src/protocol/frames.ts";
import { MAX_DOCUMENT_BYTES, MAX_DOCUMENTS } from "../../src/protocol/limits.ts";
import type { Clock } from "../../src/stream/clock.ts";
import type { Log } from "../log/log.ts";
import type { Sql } from "../log/sql.ts";
import { type DocumentFacts, DocumentTable } from "./document-table.ts";
import {
  COMPACT_BYTES,
  COMPACT_SHARE,
  DELETION_BYTES,
  FOLD_BYTES,
  FOLD_ENTRIES,
  FOLD_PAGE,
  PART_BYTES,
} from "./limits.ts";
import { binaryIn } from "./payload.ts";
import { isDeletion, isUpdate, join, NOTHING } from "./update.ts";

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

/** Up to where changes are stored with their documents. */
interface FoldMark {
  readonly seq: number;
  /** Bytes of the log up to there. */
  readonly bytes: number;
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

const MARK = "documents";

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
   * Looks whether a message may be stored, which changes a document or has nothing to do with any.
   *
   * @throws SluiceError `bad_name`, `bad_payload`, `document_full`, `document_deleted`, `too_many_documents`.
   */
  check(event: string, payload: Raw): void {
    const name = documentOf(event);
    if (name === undefined) return;
    const update = binaryIn(payload);
    if (update === undefined || !isUpdate(update)) {
      throw new SluiceError("bad_payload", {
        detail: "Events that begin with `doc:` carry a Yjs update as binary.",
        param: "payload",
      });
    }
    this.#check(name, update.byteLength, () => isDeletion(update));
  }

  /**
   * To be called for a message that was checked, before it is stored. A document begins with the first one of it: from
   * then on its changes are looked for.
   */
  begin(log: DocumentLog, event: string): void {
    const name = documentOf(event);
    if (name === undefined || this.#known.has(name)) return;
    this.#table.make();
    const at = this.#context.clock.now();
    let mark = this.#markOf(log);
    this.#context.transact(() => {
      mark ??= this.#writeMark(log);
      this.#table.insert(name, { number: 0, at, isGone: false }, NOTHING);
    });
    this.#mark = mark;
    const part = { number: 0, bytes: NOTHING.byteLength };
    this.#known.set(name, { at, parts: [part], isGone: false });
  }

  /**
   * Stores at once a change that is too large for a message, and was looked at. To be told in a message without a
   * payload.
   *
   * @throws SluiceError as {@link check}.
   */
  change(log: DocumentLog, name: string, update: Uint8Array): void {
    this.#check(name, update.byteLength, () => false);
    this.begin(log, eventOf(name));
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
      parts: news === undefined ? stored : [...stored, join(news.updates)],
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
    if (mark === undefined) return;
    const isDue = log.tail - mark.seq >= FOLD_ENTRIES || log.bytesEver - mark.bytes >= FOLD_BYTES;
    if (!isDue) return;
    try {
      this.fold(log);
    } catch (thrown) {
      // It is tried again with the next message, and nothing is removed before.
      this.#context.report(toSluiceError(thrown));
    }
  }

  /** Entries up to `upTo` are about to be removed. */
  rescue(log: DocumentLog, upTo: number): void {
    const mark = this.#markOf(log);
    if (mark !== undefined && mark.seq < upTo) this.fold(log);
  }

  /** Stores what lies behind the mark with its documents, and moves the mark to the log's end. */
  fold(log: DocumentLog): void {
    const news = this.#newsOf(log);
    if (this.#markOf(log) === undefined) return;
    this.#store(news, () => {
      this.#mark = this.#writeMark(log);
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
      // Nothing is removed without {@link rescue}.
      if (page.kind === "gap") throw new Error("changes of documents were removed");
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
    const number = nextNumber({ parts });
    const stored = { number, at, isGone: false };
    if (newest === undefined || newest.bytes >= PART_BYTES) {
      const part = this.#table.insert(name, stored, join(updates));
      return { at, parts: [...parts, part], isGone: false };
    }
    const content = join([this.#table.read(name, newest), ...updates]);
    this.#table.remove(name, newest.number, newest.number);
    const part = this.#table.insert(name, stored, content);
    return { at, parts: [...parts.slice(0, -1), part], isGone: false };
  }

  #check(name: string, bytes: number, takesAway: () => boolean): void {
    requireName(name);
    const facts = this.#known.get(name);
    if (facts?.isGone === true) throw new SluiceError("document_deleted");
    const sum = bytes + (facts === undefined ? 0 : bytesOf(facts));
    // Or nobody could make room.
    const isRoomLeft = sum <= MAX_DOCUMENT_BYTES + DELETION_BYTES && takesAway();
    if (sum > MAX_DOCUMENT_BYTES && !isRoomLeft) {
      const detail = `A document may have ${MAX_DOCUMENT_BYTES} bytes at most.`;
      throw new SluiceError("document_full", { detail });
    }
    if (facts === undefined && this.stats.count >= MAX_DOCUMENTS) {
      const detail = `A room may have ${MAX_DOCUMENTS} documents at most.`;
      throw new SluiceError("too_many_documents", { detail });
    }
  }

  /** The newest part that it would make a difference to make one of with all before it; only the first time. */
  #compactionOf(name: string, { parts: [first, ...others] }: DocumentFacts): number | undefined {
    const newest = others.at(-1)?.number;
    if (first === undefined || newest === undefined) return undefined;
    const bytes = others.reduce((sum, part) => sum + part.bytes, 0);
    const isWorth = bytes >= Math.max(COMPACT_BYTES, first.bytes * COMPACT_SHARE);
    if (!isWorth || this.#tried.get(name) === newest) return undefined;
    this.#tried.set(name, newest);
    return newest;
  }

  #markOf(log: DocumentLog): FoldMark | undefined {
    // A room without documents has no mark, and is not asked for one with every message.
    if (this.#known.size === 0) return undefined;
    this.#mark ??= parseMark(log.settings.get(MARK));
    return this.#mark;
  }

  #writeMark(log: DocumentLog): FoldMark {
    const mark = { seq: log.tail, bytes: log.bytesEver };
    log.settings.set(MARK, JSON.stringify(mark));
    return mark;
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

function parseMark(text: string | undefined): FoldMark | undefined {
  if (text === undefined) return undefined;
  const { seq, bytes } = JSON.parse(text) as Record<keyof FoldMark, unknown>;
  if (typeof seq !== "number" || typeof bytes !== "number") throw new Error("the mark is damaged");
  return { seq, bytes };
}
