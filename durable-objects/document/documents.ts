/**
 * Owns the shared documents of a room: their states, kept for good, beside the log in which their changes are
 * messages like any others. Refuses to know members, and who may change what.
 *
 * A state is stored up to the mark, a position of the log; what lies behind it is read from the log. So a
 * change costs no row of its own, and moving the mark ("folding") costs a row for each document that changed.
 * The log calls {@link Documents.rescue} before it forgets anything.
 */
import { documentOf, isDocumentName, NO_VERSION } from "../../src/protocol/documents.ts";
import { readEntries } from "../../src/protocol/entries.ts";
import { SluiceError } from "../../src/protocol/errors.ts";
import type { Raw } from "../../src/protocol/frames.ts";
import { MAX_DOCUMENT_BYTES, MAX_DOCUMENTS } from "../../src/protocol/limits.ts";
import { decodeValue } from "../../src/protocol/value.ts";
import type { Clock } from "../../src/stream/clock.ts";
import type { Log } from "../log/log.ts";
import type { Sql } from "../log/sql.ts";
import { type DocumentFacts, DocumentTable } from "./document-table.ts";
import { DELETION_BYTES, FOLD_BYTES, FOLD_ENTRIES, FOLD_PAGE } from "./limits.ts";
import { isDeletion, isUpdate, merge, NOTHING } from "./merge.ts";

/** A document as it is read. */
export interface DocumentState {
  /** Another one with every change. */
  readonly version: string;
  /** All of it as one update. */
  readonly state: Uint8Array;
}

/** A document as it is listed. */
export interface DocumentSummary {
  readonly document: string;
  readonly version: string;
  readonly bytes: number;
  /** Milliseconds since the Unix epoch. */
  readonly updatedAt: number;
}

/** Up to where changes are in the stored states. */
interface FoldMark {
  readonly seq: number;
  /** Bytes of the log up to there. */
  readonly bytes: number;
}

/** The part of a log that documents need. */
export type DocumentLog = Pick<
  Log,
  "tail" | "bytesEver" | "epoch" | "readAfter" | "settings" | "trimWhenDue"
>;

const MARK = "documents";
/** In MessagePack, a first byte of 0xc4 to 0xc6 is binary's. */
const FIRST_BINARY = 0xc4;
const LAST_BINARY = 0xc6;

export class Documents {
  readonly #table: DocumentTable;
  readonly #clock: Clock;
  readonly #known: Map<string, DocumentFacts>;
  #mark: FoldMark | undefined;
  /** Up to here the log is known to hold no change behind the mark. */
  #looked = 0;

  constructor(sql: Sql, clock: Clock) {
    this.#clock = clock;
    this.#table = new DocumentTable(sql);
    this.#known = this.#table.all();
  }

  /** Figures for those who watch the room. */
  get stats(): { readonly count: number; readonly bytes: number; readonly rowsWritten: number } {
    const there = [...this.#known.values()].filter(({ isGone }) => !isGone);
    const bytes = there.reduce((sum, facts) => sum + facts.bytes, 0);
    return { count: there.length, bytes, rowsWritten: this.#table.rowsWritten };
  }

  /**
   * Lets a message pass that changes a document, or has nothing to do with any. A document begins with the
   * first change of it.
   *
   * @throws SluiceError `bad_name`, `bad_payload`, `document_full`, `document_deleted`, `too_many_documents`.
   */
  admit(log: DocumentLog, event: string, payload: Raw): void {
    const name = documentOf(event);
    if (name === undefined) return;
    const update = updateIn(payload);
    if (update === undefined || !isUpdate(update)) {
      throw new SluiceError("bad_payload", {
        detail: "Events that begin with `doc:` carry a Yjs update as binary.",
        param: "payload",
      });
    }
    this.#admit(log, name, update);
  }

  /**
   * Merges a change at once that is too large for a message. To be told in a message without a payload.
   *
   * @throws SluiceError as {@link admit}.
   */
  change(log: DocumentLog, name: string, update: Uint8Array): void {
    if (!isUpdate(update)) {
      const detail = "The body is no Yjs update.";
      throw new SluiceError("bad_payload", { detail, param: "update" });
    }
    this.#admit(log, name, update);
    this.#store(name, [update]);
  }

  /**
   * A document with every change that was published before; one that was never changed is empty.
   *
   * @throws SluiceError `bad_name`, `document_deleted`.
   */
  read(log: DocumentLog, name: string): DocumentState {
    requireName(name);
    this.fold(log);
    const facts = this.#known.get(name);
    if (facts === undefined) return readNoDocument(name);
    if (facts.isGone) throw new SluiceError("document_deleted");
    return { version: versionOf(log, facts), state: this.#table.read(name) };
  }

  /** Every document that was not deleted, by name. */
  list(log: DocumentLog): readonly DocumentSummary[] {
    this.fold(log);
    return [...this.#known]
      .filter(([, { isGone }]) => !isGone)
      .map(([document, facts]) => ({
        document,
        version: versionOf(log, facts),
        bytes: facts.bytes,
        updatedAt: facts.at,
      }))
      .toSorted((a, b) => (a.document < b.document ? -1 : 1));
  }

  /**
   * Forgets a document's state for good: nobody can change it again, or whoever still has it would bring it
   * back. To be told in a message without a payload.
   *
   * @returns whether there was one.
   * @throws SluiceError `bad_name`.
   */
  delete(name: string): boolean {
    requireName(name);
    const facts = this.#known.get(name);
    if (facts === undefined || facts.isGone) return false;
    this.#put(name, { ...facts, bytes: 0, isGone: true }, new Uint8Array());
    return true;
  }

  /** Folds when so much lies behind the mark that reading it would take long. */
  foldWhenDue(log: DocumentLog): void {
    const mark = this.#markOf(log);
    if (mark === undefined) return;
    if (log.tail - mark.seq >= FOLD_ENTRIES || log.bytesEver - mark.bytes >= FOLD_BYTES) {
      this.fold(log);
      this.#setMark(log);
    }
  }

  /** Entries up to `upTo` are about to be removed. */
  rescue(log: DocumentLog, upTo: number): void {
    const mark = this.#markOf(log);
    if (mark === undefined || mark.seq >= upTo) return;
    this.fold(log);
    this.#setMark(log);
  }

  /** Merges what lies behind the mark into the stored states. */
  fold(log: DocumentLog): void {
    // Or reading would do it in the middle, which folds as well.
    log.trimWhenDue();
    const mark = this.#markOf(log);
    if (mark === undefined || this.#looked === log.tail) return;
    const changes = new Map<string, Uint8Array[]>();
    let seq = Math.max(mark.seq, this.#looked);
    while (seq < log.tail) {
      const page = log.readAfter(seq, FOLD_PAGE);
      // Nothing is removed without {@link rescue}.
      if (page.kind === "gap") throw new Error("changes of documents were removed");
      for (const { event, payload } of readEntries(page.entries)) {
        const name = documentOf(event);
        const update = name === undefined ? undefined : updateIn(payload);
        if (name === undefined || update === undefined) continue;
        const updates = changes.get(name);
        if (updates === undefined) changes.set(name, [update]);
        else updates.push(update);
      }
      seq = page.last;
    }
    for (const [name, updates] of changes) {
      // Deleted since it was said, or said before the room knew documents.
      if (this.#known.get(name)?.isGone === false) this.#store(name, updates);
    }
    // At the end: what could not be stored has to be looked for again.
    if (changes.size > 0) this.#setMark(log);
    this.#looked = log.tail;
  }

  #admit(log: DocumentLog, name: string, update: Uint8Array): void {
    requireName(name);
    const facts = this.#known.get(name);
    if (facts?.isGone === true) throw new SluiceError("document_deleted");
    const bytes = (facts?.bytes ?? 0) + update.byteLength;
    // Or nobody could make room.
    const isRoomLeft = bytes <= MAX_DOCUMENT_BYTES + DELETION_BYTES && isDeletion(update);
    if (bytes > MAX_DOCUMENT_BYTES && !isRoomLeft) {
      const detail = `A document may have ${MAX_DOCUMENT_BYTES} bytes at most.`;
      throw new SluiceError("document_full", { detail });
    }
    if (facts === undefined) this.#begin(log, name);
  }

  /** From here on its changes are looked for. */
  #begin(log: DocumentLog, name: string): void {
    if (this.#known.size >= MAX_DOCUMENTS) {
      const detail = `A room may have ${MAX_DOCUMENTS} documents at most, with those that were deleted.`;
      throw new SluiceError("too_many_documents", { detail });
    }
    if (this.#markOf(log) === undefined) this.#setMark(log);
    const facts = { version: 0, at: this.#clock.now(), bytes: 0, isGone: false };
    this.#put(name, facts, NOTHING);
  }

  #store(name: string, updates: readonly Uint8Array[]): void {
    const { version = 0 } = this.#known.get(name) ?? {};
    const state = merge(this.#table.read(name), updates);
    const at = this.#clock.now();
    this.#put(name, { version: version + 1, at, bytes: state.byteLength, isGone: false }, state);
  }

  #put(name: string, facts: DocumentFacts, state: Uint8Array): void {
    this.#table.write(name, facts, state);
    this.#known.set(name, facts);
  }

  #markOf(log: DocumentLog): FoldMark | undefined {
    // A room without documents has no mark, and is not asked for one with every message.
    if (this.#known.size === 0) return undefined;
    this.#mark ??= parseMark(log.settings.get(MARK));
    return this.#mark;
  }

  #setMark(log: DocumentLog): void {
    const mark = { seq: log.tail, bytes: log.bytesEver };
    log.settings.set(MARK, JSON.stringify(mark));
    this.#mark = mark;
    this.#looked = mark.seq;
  }
}

/**
 * What is read of a document that nobody has changed yet.
 *
 * @throws SluiceError `bad_name`.
 */
export function readNoDocument(name: string): DocumentState {
  requireName(name);
  return { version: NO_VERSION, state: NOTHING };
}

/** @throws SluiceError `bad_name`. */
function requireName(name: string): void {
  if (isDocumentName(name)) return;
  const detail = "A document's name is 1 to 60 letters, digits, `.`, `_`, `:` and `-`.";
  throw new SluiceError("bad_name", { detail, param: "document" });
}

/** A copy of the update that a payload is. */
function updateIn(payload: Raw): Uint8Array | undefined {
  const head = payload[0] ?? 0;
  if (head < FIRST_BINARY || head > LAST_BINARY) return undefined;
  return (decodeValue(payload) as Uint8Array).slice();
}

function versionOf({ epoch }: DocumentLog, { version }: DocumentFacts): string {
  return version === 0 ? NO_VERSION : `${epoch}.${version}`;
}

function parseMark(text: string | undefined): FoldMark | undefined {
  if (text === undefined) return undefined;
  const { seq, bytes } = JSON.parse(text) as Record<keyof FoldMark, unknown>;
  if (typeof seq !== "number" || typeof bytes !== "number") throw new Error("the mark is damaged");
  return { seq, bytes };
}
