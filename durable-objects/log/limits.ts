/**
 * Owns the limits of what a log keeps: name, unit and reason. Refuses to know who asks for how much
 * retention; that is a setting of the log's owner.
 */

/** Bytes of one row, ids included. The platform refuses rows of 2 MB; the rest is left for the columns. */
export const MAX_ROW_BYTES = 1_900_000;

/** Rows of one page at most, so that a page of tiny flushes does not keep an object busy for long. */
export const MAX_PAGE_ROWS = 1024;

/** Rows that are looked at for a page at least, however large rows are on average. */
export const MIN_PAGE_ROWS = 64;

/** Fraction of a retention limit by which a log may exceed it before it is trimmed. */
export const TRIM_SLACK = 1 / 8;

/** Entries over a limit that are not worth a trim, however small the limit is. */
export const MIN_TRIM_ENTRIES = 64;

/** Bytes over a limit that are not worth a trim, however small the limit is. */
export const MIN_TRIM_BYTES = 64 * 1024;

/** Milliseconds that an entry may outlive its age at most before it is trimmed. */
export const MAX_TRIM_DELAY_MS = 60_000;

/**
 * Newest entries of a log whose client message ids are known: what a publisher repeats after a lost
 * connection is found among them. Reading them back after a sleep takes a few milliseconds.
 */
export const DEDUPE_WINDOW = 4096;

/** Direct messages that wait for one member: a long weekend of a talkative colleague. */
export const MAX_MAILS_PER_MEMBER = 256;

/** Bytes of direct messages that wait for one member. */
export const MAX_MAIL_BYTES_PER_MEMBER = 1024 * 1024;

/** Direct messages that wait in one object in all; the index of them is kept in memory. */
export const MAX_MAILS = 8192;

/** Bytes of direct messages that wait in one object in all. */
export const MAX_MAIL_BYTES = 256 * 1024 * 1024;

/** Acknowledged direct messages whose ids are still known, so that a repeated one is not delivered again. */
export const MAIL_DEDUPE_WINDOW = 1024;

/** Milliseconds that a direct message waits for its member: seven days. */
export const MAIL_TTL_MS = 7 * 24 * 60 * 60 * 1000;

/** Direct messages read at once. */
export const MAX_MAIL_PAGE = 256;
