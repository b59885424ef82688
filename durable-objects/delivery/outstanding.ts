/**
 * Owns how much of the log a connection has been sent and has not acknowledged (I5): pages, whose sizes
 * are its own, and after them whatever was sent live, whose size follows from the log's running total.
 * Refuses to know when anything is sent.
 */

/** A stretch of the log that was sent, from the end of the one before. */
interface Sent {
  readonly last: number;
  readonly bytes: number;
  /** What the log had held in all at its end, where the log's sizes are those of what was sent. */
  readonly total?: number;
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
  outstanding.pages = [...pages, { last: mark.seq, bytes, total: mark.total }];
  outstanding.base = mark;
}

/** A page was sent that ends at `mark`. */
export function addPage(outstanding: Outstanding, mark: Mark, bytes: number): void {
  outstanding.pages = [...outstanding.pages, { last: mark.seq, bytes }];
  outstanding.base = mark;
}

/**
 * Everything up to `seq` was consumed. A page that was consumed in part counts in proportion, so that
 * what is left of it does not fill a window whose reader has nothing more to acknowledge.
 *
 * @param markAt what the log had held in all at a position, given such a mark before it.
 */
export function settle(
  outstanding: Outstanding,
  seq: number,
  markAt: (seq: number, floor: Mark) => Mark,
): void {
  const { acked, pages, base } = outstanding;
  if (seq >= base.seq) {
    restart(outstanding, markAt(seq, base));
    return;
  }
  const left = pages.findIndex(({ last }) => last > seq);
  const page = pages[left];
  outstanding.acked = seq;
  if (page === undefined) {
    outstanding.pages = [];
    return;
  }
  const from = pages[left - 1]?.last ?? acked;
  outstanding.pages = [restOf(page, from, seq, markAt), ...pages.slice(left + 1)];
}

function restOf(
  page: Sent,
  from: number,
  seq: number,
  markAt: (seq: number, floor: Mark) => Mark,
): Sent {
  const { last, bytes, total } = page;
  if (total === undefined) {
    return { last, bytes: Math.ceil((bytes * (last - seq)) / (last - from)) };
  }
  const left = total - markAt(seq, { seq: from, total: total - bytes }).total;
  return { last, bytes: Math.max(0, Math.min(bytes, Math.ceil(left))), total };
}

/** All pages as one, which is what is kept of them in a sleep. */
export function merge({ pages, base }: Outstanding): readonly Sent[] {
  return pages.length === 0 ? [] : [{ last: base.seq, bytes: sumOf(pages), total: base.total }];
}

function sumOf(pages: readonly Sent[]): number {
  return pages.reduce((sum, { bytes }) => sum + bytes, 0);
}
