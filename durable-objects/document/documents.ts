/**
 * Owns the shared documents of a room: kept for good, beside the log in which their changes are messages like any
 * others. Refuses to know members, who may change what, and what a document says.
 *
 * What was said of a document up to the mark, a position of the log, is stored in parts; what was said after it is
 * read from the log. So a change costs no row of its own, and moving the mark ("folding") costs a row or two for
 * each document that changed. The log calls {@link Documents.rescue} before it forgets anything.
 */
import { documentOf, isDocumentName, NO_VERSION } from "../../src/protocol/documents.ts";
import { SluiceError, toSluiceError } from "../../src/protocol/errors.ts";
import type { Raw } from "../../src/protocol/frames.ts";
import { MAX_DOCUMENT_BYTES, MAX_DOCUMENTS } from "../../src/protocol/limits.ts";
import type { DocumentFacts } from "./document-table.ts";
import { isFarBehind } from "./fold-mark.ts";
import { COMPACT_BYTES, DELETION_BYTES } from "./limits.ts";
import { binaryIn } from "./payload.ts";
import { type StoreContext, StoredDocuments, storedBytesOf } from "./stored-documents.ts";
import { type DocumentLog, type News, Unfolded } from "./unfolded.ts";
import { isDeletion, isUpdate, joinAll, NOTHING } from "./update.ts";

/** What documents are given from outside. */
export interface DocumentContext extends StoreContext {
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

export class Documents {
  readonly #report: DocumentContext["report"];
  readonly #clock: DocumentContext["clock"];
  readonly #stored: StoredDocuments;
  readonly #unfolded: Unfolded;
  /** The newest part up to which each document was tried to be made smaller: one that cannot be is not tried again. */
  readonly #tried = new Map<string, number>();

  constructor(context: DocumentContext) {
    this.#report = context.report;
    this.#clock = context.clock;
    this.#stored = new StoredDocuments(context);
    this.#unfolded = new Unfolded({
      report: context.report,
      isThere: (name) => this.#stored.get(name)?.isGone === false,
    });
  }

  /** Figures for those who watch the room. */
  get stats(): StoredDocuments["stats"] {
    return this.#stored.stats;
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
    const news = { updates: [update], at: this.#clock.now() };
    this.#stored.add(new Map([[name, news]]));
  }

  /**
   * A document with every change that was published before; one that was never changed is empty. Writes nothing.
   *
   * @throws SluiceError `bad_name`, `document_deleted`.
   */
  read(log: DocumentLog, name: string): DocumentState {
    requireName(name);
    const news = this.#newsOf(log).get(name);
    const facts = this.#stored.get(name);
    if (facts === undefined) return readNoDocument(name);
    if (facts.isGone) throw new SluiceError("document_deleted");
    const stored = this.#stored.read(name);
    return {
      version: versionOf(log, facts, news),
      parts: news === undefined ? stored : [...stored, ...joinAll(news.updates)],
      compaction: this.#compactionOf(name, facts),
    };
  }

  /** Every document that was not deleted, by name. */
  list(log: DocumentLog): readonly DocumentSummary[] {
    const news = this.#newsOf(log);
    return this.#stored
      .there()
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
    this.#stored.replace(name, upTo, update);
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
    return this.#stored.delete(name);
  }

  /** Folds when so much lies behind the mark that looking through it would take long. */
  foldWhenDue(log: DocumentLog): void {
    const mark = this.#markOf(log);
    if (mark === undefined || !isFarBehind(mark, log)) return;
    try {
      this.fold(log);
    } catch (thrown) {
      // It is tried again with the next message, and nothing is removed before.
      this.#report(toSluiceError(thrown));
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
      this.#report(toSluiceError(thrown));
      return false;
    }
  }

  /** Stores what lies behind the mark with its documents, and moves the mark to the log's end. */
  fold(log: DocumentLog): void {
    const news = this.#newsOf(log);
    if (this.#markOf(log) === undefined) return;
    this.#unfolded.moveMark(log, (write) => {
      this.#stored.add(news, write);
    });
  }

  #admit(
    log: DocumentLog,
    name: string,
    { bytes, takesAway }: { readonly bytes: number; readonly takesAway: () => boolean },
  ): void {
    const facts = this.#stored.get(name);
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
    const hasMark = this.#markOf(log) !== undefined;
    this.#unfolded.moveMark(log, (write) => {
      this.#stored.begin(name, hasMark ? () => {} : write);
    });
  }

  /** The newest part, when making one smaller part of all is worth trying, which it is once. */
  #compactionOf(name: string, facts: DocumentFacts): number | undefined {
    const newest = facts.parts.at(-1)?.number;
    if (bytesOf(facts) < COMPACT_BYTES || this.#tried.get(name) === newest) return undefined;
    if (newest !== undefined) this.#tried.set(name, newest);
    return newest;
  }

  #newsOf(log: DocumentLog): ReadonlyMap<string, News> {
    return this.#stored.isEmpty ? NO_NEWS : this.#unfolded.read(log);
  }

  #markOf(log: DocumentLog): ReturnType<Unfolded["markIn"]> {
    // A room without documents has no mark, and is not asked for one with every message.
    return this.#stored.isEmpty ? undefined : this.#unfolded.markIn(log);
  }
}

const NO_NEWS: ReadonlyMap<string, News> = new Map();

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

function bytesOf(facts: DocumentFacts, news?: News): number {
  const stored = storedBytesOf(facts);
  return (news?.updates ?? []).reduce((sum, update) => sum + update.byteLength, stored);
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
