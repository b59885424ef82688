/** Owns how a log and the documents beside it are opened: together, because one needs the other to forget. */
import { type Log, type LogOptions, openLog } from "../log/log.ts";
import type { Sql } from "../log/sql.ts";
import { type DocumentContext, Documents } from "./documents.ts";

/** Opens a log that keeps changes of documents, and the documents. */
export function openLogWithDocuments(
  sql: Sql,
  options: Omit<LogOptions, "beforeTrim"> & Pick<DocumentContext, "transact" | "report">,
): { readonly log: Log; readonly documents: Documents } {
  // First: opening a log may trim it.
  const documents = new Documents({ sql, ...options });
  const log = openLog(sql, {
    ...options,
    beforeTrim: (log, upTo) => documents.rescue(log, upTo),
  });
  return { log, documents };
}
