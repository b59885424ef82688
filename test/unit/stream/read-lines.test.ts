import { expect, test } from "vitest";
import { readLines } from "../../../src/stream/read-lines.ts";

const MAX_BYTES = 16;

/** What is read of a body that comes in these pieces, and how it ends. */
async function read(pieces: readonly (string | Uint8Array)[]) {
  const lines: (readonly string[])[] = [];
  async function* body(): AsyncGenerator<Uint8Array> {
    for (const piece of pieces) {
      yield await Promise.resolve(
        typeof piece === "string" ? new TextEncoder().encode(piece) : piece,
      );
    }
  }
  try {
    for await (const some of readLines(body(), MAX_BYTES)) lines.push(some);
    return { lines };
  } catch (error) {
    return { lines, error };
  }
}

test("[B1] lines are cut wherever their bytes come apart", async () => {
  const bytes = new TextEncoder().encode("é\r\n\n👩\nend");
  const whole = ["é", "", "👩", "end"];
  for (let at = 0; at <= bytes.length; at += 1) {
    const { lines } = await read([bytes.subarray(0, at), bytes.subarray(at)]);
    expect(lines.flat()).toEqual(whole);
  }
  const { lines } = await read(Array.from(bytes, (byte) => Uint8Array.of(byte)));
  expect(lines.flat()).toEqual(whole);
  expect(await read(["a\n", "b\r"])).toEqual({ lines: [["a"], ["b"]] });
  expect(await read([])).toEqual({ lines: [] });
});

test.each([
  ["not UTF-8", Uint8Array.of(0x22, 0xff, 0x22, 0x0a), "invalid_json"],
  ["cut off in a character", Uint8Array.of(0xc3), "invalid_json"],
  ["too long", `${"x".repeat(MAX_BYTES + 1)}\n`, "message_too_large"],
  ["too long, and goes on", "x".repeat(MAX_BYTES + 1), "message_too_large"],
])("[B1] a line that is %s takes none before it along, and is named", async (_name, line, code) => {
  const bytes = typeof line === "string" ? new TextEncoder().encode(line) : line;
  const before = new TextEncoder().encode("one\ntwo\n");
  const together = Uint8Array.of(...before, ...bytes);
  expect(await read([together])).toMatchObject({
    lines: [["one", "two"]],
    error: { code, members: { line: 3 } },
  });
  expect(await read([before, bytes])).toMatchObject({
    lines: [["one", "two"]],
    error: { code, members: { line: 3 } },
  });
});
