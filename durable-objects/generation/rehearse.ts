/**
 * Owns the rehearsal of an answer's beginning in an empty database: what a first write costs besides
 * what it writes (the file is opened, the statements are understood) is paid before somebody waits.
 * Nothing of it is stored. Refuses to know what an answer writes.
 */
import { systemClock } from "../../src/stream/clock.ts";
import { openLog } from "../log/log.ts";

/** Thrown to have everything taken back. */
class TakenBack extends Error {}

/** Makes a log and takes it back: afterwards the database is as empty as it was. */
export function rehearse(storage: Pick<DurableObjectStorage, "sql" | "transactionSync">): void {
  try {
    storage.transactionSync(() => {
      openLog(storage.sql, { clock: systemClock, random: () => 0, retention: {} });
      throw new TakenBack();
    });
  } catch (thrown) {
    if (!(thrown instanceof TakenBack)) throw thrown;
  }
}
