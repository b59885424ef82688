/**
 * Owns how much of the log a connection has been sent and has not acknowledged (I5): pages, whose sizes
 * are its own, and after them whatever was sent live, whose size follows from the log's running total.
 * Refuses to know when anything is sent.
 */

/** A stretch of the log that was sent, from the end of the one before. */
interface Sent {
  readonly last: number;
  readonly bytes: number;
  /** It holds only some of the log's entries there. */
  readonly isSparse: boolean;
}

/** A position, and the bytes that the log had held in all up to there. */
export interface Mark {
  readonly seq: number;
  readonly total: number;
}

/** Everything up to `acked` was consumed; then come the pages, and at `base` what was sent live begins. */
export interface Outstanding {
  acked: number;
  pages: readonly Sent[];
  base: Mark;
}

/** Nothing is outstanding, and what is sent next follows `mark`. */
export function restart(outstanding: Outstanding, mark: Mark): void {
  outstanding.acked = mark.seq;
  outstanding.pages = [];
  outstanding.base = mark;
}

/** Bytes outstanding of a connection that has been sent everything up to where the log's total is `total`. */
export function outstandingBytes({ pages, base }: Outstanding, total: number): number {
  return sumOf(pages) + Math.max(0, total - base.total);
}

/** A connection that was live is no longer from `mark` on. */
export function endLive(outstanding: Outstanding, mark: Mark): void {
  const { base, pages } = outstanding;
  if (mark.seq <= base.seq) return;
  const bytes = Math.max(0, mark.total - base.total);
  outstanding.pages = [...pages, { last: mark.seq, bytes, isSparse: false }];
  outstanding.base = mark;
}

/** A page was sent that ends at `mark`. */
export function addPage(
  outstanding: Outstanding,
  mark: Mark,
  page: { readonly bytes: number; readonly isSparse: boolean },
): void {
  outstanding.pages = [...outstanding.pages, { ...page, last: mark.seq }];
  outstanding.base = mark;
}

/** Bytes of the log between two positions; undefined where they are no longer known. */
type BytesBetween = (after: number, to: number) => number | undefined;

/** Everything up to `mark` was consumed. */
export function settle(outstanding: Outstanding, mark: Mark, bytesBetween: BytesBetween): void {
  const { acked, pages, base } = outstanding;
  if (mark.seq >= base.seq) {
    restart(outstanding, mark);
    return;
  }
  const left = pages.findIndex(({ last }) => last > mark.seq);
  const page = pages[left];
  outstanding.acked = mark.seq;
  if (page === undefined) {
    outstanding.pages = [];
    return;
  }
  const from = pages[left - 1]?.last ?? acked;
  const bytes = bytesLeft(page, { from, seq: mark.seq }, bytesBetween);
  outstanding.pages = [{ ...page, bytes }, ...pages.slice(left + 1)];
}

/**
 * What is left of a page that was consumed in part: what the log knows, or else a proportion, so that it
 * does not fill a window whose reader has nothing more to acknowledge.
 */
function bytesLeft(
  { last, bytes, isSparse }: Sent,
  { from, seq }: { readonly from: number; readonly seq: number },
  bytesBetween: BytesBetween,
): number {
  const known = isSparse ? undefined : bytesBetween(seq, last);
  if (known === undefined) return Math.ceil((bytes * (last - seq)) / (last - from));
  return Math.min(bytes, Math.ceil(known));
}

/** All pages as one, which is what is kept of them in a sleep. */
export function merge({ pages, base }: Outstanding): readonly Sent[] {
  if (pages.length === 0) return [];
  const isSparse = pages.some((page) => page.isSparse);
  return [{ last: base.seq, bytes: sumOf(pages), isSparse }];
}

function sumOf(pages: readonly Sent[]): number {
  let sum = 0;
  for (const { bytes } of pages) sum += bytes;
  return sum;
}
