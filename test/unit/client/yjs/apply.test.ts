/** What goes wrong when an update is applied, and whose fault it is. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import * as Y from "yjs";
import { applyTo } from "../../../../src/client/yjs/apply.ts";
import { note } from "../../../support/note.ts";
import { chooseSeed, SeededRandom } from "../../../support/seeded-random.ts";

const thrown: unknown[] = [];

beforeEach(() => {
  vi.stubGlobal("queueMicrotask", (task: () => void) => {
    try {
      task();
    } catch (error) {
      thrown.push(error);
    }
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  thrown.length = 0;
});

/** A document with something of everything in it. */
function newDoc(): Y.Doc {
  const doc = new Y.Doc();
  doc.getText("t").insert(0, "hello world");
  doc.getText("t").delete(2, 3);
  doc.getArray("a").insert(0, [1, { x: 1 }]);
  doc.getMap("m").set("k", new Y.Text("abc"));
  return doc;
}

test("[W7][W4] bytes that a member has spoilt never look like the application's fault", () => {
  const seed = chooseSeed();
  note(`SEED=${seed}`);
  const random = new SeededRandom(seed);
  const state = Y.encodeStateAsUpdate(newDoc());
  const answers = new Set<boolean>();
  for (let run = 0; run < 3_000; run += 1) {
    const theirs = new Y.Doc();
    Y.applyUpdate(theirs, state);
    const before = Y.encodeStateVector(theirs);
    theirs.getText("t").insert(random.between(0, 5), "xy");
    theirs.getText("t").delete(1, 2);
    theirs.getMap("m").set("k", 1);
    theirs.getArray("a").insert(1, [new Y.Map()]);
    const update = Y.encodeStateAsUpdate(theirs, before).slice();
    for (let count = random.between(0, 4); count > 0; count -= 1) {
      update[random.between(0, update.length - 1)] = random.between(0, random.pick([12, 255]));
    }
    const doc = new Y.Doc();
    Y.applyUpdate(doc, state);
    answers.add(applyTo(doc, update, undefined));
    expect(doc._observers.has("afterTransactionCleanup")).toBe(false);
  }
  expect([thrown, answers.size]).toEqual([[], 2]);
});

test.each(["observe", "update", "afterTransaction"] as const)(
  "[W7] what the application throws at %s is its own fault, and the update is in",
  (where) => {
    const doc = new Y.Doc();
    const fail = (): void => {
      throw new Error("the editor's");
    };
    if (where === "observe") doc.getText("t").observe(fail);
    else doc.on(where, fail);
    expect(applyTo(doc, Y.encodeStateAsUpdate(newDoc()), undefined)).toBe(true);
    expect(thrown).toMatchObject([{ message: "the editor's" }]);
    expect(doc.getText("t").toJSON()).toBe("he world");
  },
);
