/** Carets in the console's notes stay beside their letters, and the text is cut where they are. */
import { expect, test } from "vitest";
import * as Y from "yjs";
import {
  caretOf,
  decodeCaret,
  encodeCaret,
  placeOf,
} from "../../../public/console/room/notes/caret.js";
import { Others } from "../../../public/console/room/notes/others.js";
import { piecesOf } from "../../../public/console/room/notes/pieces.js";

/** A text in a document of its own. */
function textOf(content: string): Y.Text {
  const text = new Y.Doc().getText("text");
  text.insert(0, content);
  return text;
}

/** The same text in somebody else's document. */
function copyOf(text: Y.Text): Y.Text {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(text.doc ?? doc));
  return doc.getText("text");
}

test.each([
  ["before it", 0, { anchor: 6, head: 6 }],
  ["at it", 3, { anchor: 3, head: 3 }],
  ["after it", 5, { anchor: 3, head: 3 }],
] as const)("[W7] a caret stays beside its letter when others write %s", (_, at, expected) => {
  const text = textOf("abcdef");
  const caret = caretOf(text, { anchor: 3, head: 3 });
  text.insert(at, "xyz");
  expect(placeOf(text, caret)).toEqual(expected);
});

test("[W7] a caret at the end or in an empty text is not pushed by what others write", () => {
  const text = textOf("");
  const start = caretOf(text, { anchor: 0, head: 0 });
  text.insert(0, "ab");
  expect(placeOf(text, start)).toEqual({ anchor: 0, head: 0 });
  const end = caretOf(text, { anchor: 2, head: 2 });
  text.insert(2, "cd");
  expect(placeOf(text, end)).toEqual({ anchor: 2, head: 2 });
});

test.each([
  { anchor: 1, head: 3 },
  { anchor: 3, head: 1 },
])("[W7] a selection %j keeps its letters and its direction", (selection) => {
  const text = textOf("abcd");
  const caret = caretOf(text, selection);
  text.insert(3, "Y");
  text.insert(1, "X");
  const place = placeOf(text, caret) ?? { anchor: 0, head: 0 };
  expect(place).toEqual({ anchor: selection.anchor + 1, head: selection.head + 1 });
  text.delete(0, text.length);
  expect(placeOf(text, caret)).toEqual({ anchor: 0, head: 0 });
});

test("[W7][W6] a caret travels in a few bytes, and what is none is none", () => {
  const text = textOf("abcd");
  const encoded = encodeCaret(caretOf(text, { anchor: 1, head: 3 }));
  expect(encoded.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(64);
  const other = copyOf(text);
  const caret = decodeCaret(other, encoded);
  expect(caret && placeOf(other, caret)).toEqual({ anchor: 1, head: 3 });
  const elsewhere = encodeCaret(caretOf(new Y.Doc().getText("elsewhere"), { anchor: 0, head: 0 }));
  const [half] = encoded;
  const bad = [undefined, null, 7, "text", [], [half], [half, 7], elsewhere];
  const bytes = [
    [],
    [0],
    [1],
    [1, 200],
    [9, 9, 9],
    [0, 255, 255, 255, 255, 255, 255, 255, 255, 255],
  ];
  for (const one of bad) expect(decodeCaret(other, one)).toBeUndefined();
  for (const one of bytes) {
    const position = Uint8Array.from(one);
    const read = decodeCaret(other, [position, position]);
    expect(read && placeOf(other, read)).toBeUndefined();
  }
  expect([...(other.doc?.share.keys() ?? [])]).toEqual(["text"]);
});

test("[W7] a caret beside letters that are not here yet stands where it was", () => {
  const [anns, others] = [textOf("ab"), new Others()];
  const bobs = copyOf(anns);
  const seen = (): unknown => {
    const state = { caret: encodeCaret(caretOf(anns, { anchor: anns.length, head: anns.length })) };
    return others.find(bobs, [{ member: "Ann", state }]).map(({ head }) => head);
  };
  expect(seen()).toEqual([2]);
  anns.insert(2, "cd");
  expect(seen()).toEqual([2]);
  Y.applyUpdate(bobs.doc ?? new Y.Doc(), Y.encodeStateAsUpdate(anns.doc ?? new Y.Doc()));
  expect(seen()).toEqual([4]);
  for (const state of [null, {}, { caret: 1 }]) {
    expect(others.find(bobs, [{ member: "Ann", state }])).toEqual([]);
  }
});

test("[W7] a text is cut at carets and selections, and nothing of it is lost", () => {
  const carets = [
    { member: "Ann", anchor: 2, head: 5, key: "1" },
    { member: "Bob", anchor: 4, head: 1, key: "2" },
    { member: "Cleo", anchor: 90, head: 90, key: "3" },
  ];
  const pieces = piecesOf("abcdefg", carets);
  expect(pieces.map(({ text }) => text).join("")).toBe("abcdefg");
  expect(
    pieces.map(({ text, selectedBy, carets }) => [
      text,
      selectedBy,
      carets.map(({ member }) => member).join(),
    ]),
  ).toEqual([
    ["a", undefined, ""],
    ["b", "Bob", "Bob"],
    ["cd", "Ann", ""],
    ["e", "Ann", ""],
    ["fg", undefined, "Ann"],
    ["", undefined, "Cleo"],
  ]);
  expect(piecesOf("", [])).toEqual([{ text: "", selectedBy: undefined, carets: [] }]);
});
