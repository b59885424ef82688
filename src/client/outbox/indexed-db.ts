/**
 * Owns an outbox's storage in a browser's IndexedDB: what `sluice/client/indexed-db` exports. Messages
 * survive reloads and crashes of the page. Refuses to know when messages are sent.
 */
import { SharedSender } from "./shared-sender.ts";
import { joinQueue } from "../tabs/queue.ts";
import type { Observable } from "../state.ts";
import type { OutboxStorage } from "./types.ts";
import { type Row, Unkept } from "./unkept.ts";

const STORE = "messages";
const BY_BOX = "box";

/**
 * Milliseconds in which the database has to answer. A browser in trouble may never say that it does not, and a tab
 * that was frozen while it wrote holds everybody up.
 */
const ANSWER_MS = 5_000;

/** A storage that says what it could not keep. */
export interface IndexedDbOutbox extends OutboxStorage {
  /**
   * How many messages wait that could not be stored, because there is no room or the database fails. They are
   * sent all the same, but gone with the page; of a run of them the first is an uncaught error. With each message that is added or done with, they are tried again.
   */
  readonly unkept: Observable<number>;
}

/**
 * Keeps messages in the IndexedDB database of this name, which is opened when it is first used. All tabs
 * that have the same room open, as the same member, have one queue.
 */
export function indexedDbOutbox(database = "sluice-outbox"): IndexedDbOutbox {
  let opening: Promise<IDBDatabase> | undefined;
  const open = async (): Promise<IDBDatabase> => {
    opening ??= openDatabase(database, () => {
      opening = undefined;
    });
    return await opening;
  };
  const write = async (change: (store: IDBObjectStore) => void): Promise<void> => {
    const transaction = (await open()).transaction(STORE, "readwrite");
    change(transaction.objectStore(STORE));
    await finished(transaction);
  };
  const put = async (row: Row): Promise<void> => {
    await write((store) => store.put(row));
  };
  const unkept = new Unkept(put);
  return {
    unkept: unkept.size,
    async load(box) {
      const rows = (await open()).transaction(STORE).objectStore(STORE).index(BY_BOX).getAll(box);
      return ((await inTime(settled(rows))) as Row[]).map(({ id, order, to, event, payload }) => ({
        id,
        order,
        to,
        event,
        payload,
      }));
    },
    async add(box, message) {
      await unkept.keep({ ...message, box });
    },
    async remove(box, ids) {
      unkept.remove(box, ids);
      await write((store) => {
        for (const id of ids) store.delete([box, id]);
      });
      await unkept.tryAgain();
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
  try {
    const database = await inTime(settled(request));
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
  }
}

async function inTime<Result>(work: Promise<Result>): Promise<Result> {
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    silence.reject(new Error("IndexedDB does not answer."));
  }, ANSWER_MS);
  try {
    return await Promise.race([work, silence.promise]);
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
