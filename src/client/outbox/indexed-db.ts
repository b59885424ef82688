/**
 * Owns an outbox's storage in a browser's IndexedDB: what `sluice/client/indexed-db` exports. Messages
 * survive reloads and crashes of the page. Refuses to know when messages are sent.
 */
import { SharedSender } from "./shared-sender.ts";
import { joinQueue } from "../tabs/queue.ts";
import type { OutboxMessage, OutboxStorage } from "./types.ts";

const STORE = "messages";
const BY_BOX = "box";

/** Milliseconds in which the database has to open: a browser in trouble may never say that it does not. */
const OPEN_MS = 5_000;

/** A message as it is stored. */
interface Row extends OutboxMessage {
  readonly box: string;
}

/**
 * Keeps messages in the IndexedDB database of this name, which is opened when it is first used. All tabs
 * that have the same room open, as the same member, have one queue.
 */
export function indexedDbOutbox(database = "sluice-outbox"): OutboxStorage {
  let opening: Promise<IDBDatabase> | undefined;
  const open = async (): Promise<IDBDatabase> => {
    opening ??= openDatabase(database, () => {
      opening = undefined;
    });
    return await opening;
  };
  return {
    async load(box) {
      const rows = (await open()).transaction(STORE).objectStore(STORE).index(BY_BOX).getAll(box);
      return ((await settled(rows)) as Row[]).map(({ id, order, to, event, payload }) => ({
        id,
        order,
        to,
        event,
        payload,
      }));
    },
    async add(box, message) {
      const transaction = (await open()).transaction(STORE, "readwrite");
      transaction.objectStore(STORE).put({ ...message, box } satisfies Row);
      await finished(transaction);
    },
    async remove(box, ids) {
      const transaction = (await open()).transaction(STORE, "readwrite");
      for (const id of ids) transaction.objectStore(STORE).delete([box, id]);
      await finished(transaction);
    },
    makeSender: (options, parts) =>
      new SharedSender(options, parts, (box, member) =>
        joinQueue(`sluice outbox ${database} ${box}`, member),
      ),
  };
}

/** @param lost called when the database can no longer be used, so that it is opened again. */
async function openDatabase(name: string, lost: () => void): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.addEventListener("upgradeneeded", () => {
    const store = request.result.createObjectStore(STORE, { keyPath: ["box", "id"] });
    store.createIndex(BY_BOX, "box");
  });
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    silence.reject(new Error("IndexedDB does not answer."));
  }, OPEN_MS);
  try {
    const database = await Promise.race([settled(request), silence.promise]);
    database.addEventListener("close", lost);
    // Another page wants a newer version: it would wait for ever.
    database.addEventListener("versionchange", () => {
      database.close();
      lost();
    });
    return database;
  } catch (error) {
    lost();
    // If it opens after all, nobody needs it.
    request.addEventListener("success", () => {
      request.result.close();
    });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function settled<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => {
      resolve(request.result);
    });
    request.addEventListener("error", () => {
      reject(request.error ?? new Error("IndexedDB failed."));
    });
  });
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener("complete", () => {
      resolve();
    });
    const fail = (): void => {
      reject(transaction.error ?? new Error("IndexedDB failed."));
    };
    transaction.addEventListener("error", fail);
    transaction.addEventListener("abort", fail);
  });
}
