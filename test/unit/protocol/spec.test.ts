import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decode } from "@msgpack/msgpack";
import { describe, expect, test } from "vitest";
import { failureOfClose } from "../../../src/client/room/closes.ts";
import { CLOSE } from "../../../src/protocol/close-codes.ts";
import { describeError } from "../../../src/protocol/errors.ts";
import { FrameError } from "../../../src/protocol/frame-error.ts";
import * as limits from "../../../src/protocol/limits.ts";
import { parseClientFrame } from "../../../src/protocol/parse-client-frame.ts";
import { parseServerFrame } from "../../../src/protocol/parse-server-frame.ts";
import { fromHex } from "./hex.ts";

const spec = readFileSync(
  fileURLToPath(new URL("../../../src/protocol/SPEC.md", import.meta.url).href),
  "utf8",
);

describe("the specification says what the code does", () => {
  const session = [...spec.matchAll(/```session\n([^]*?)```/g)].flatMap(([, block = ""]) => [
    ...block.matchAll(/^([CS]) ([0-9a-f]+)\n {2}(\[.*\])$/gm),
  ]);

  test("the session has frames of both sides", () => {
    expect(session.length).toBe(17);
  });

  test.each(session.map(([, from, hex, json]) => ({ from, hex: hex ?? "", json: json ?? "" })))(
    "session: $from $json",
    ({ from, hex, json }) => {
      const bytes = fromHex(hex);
      expect(decode(bytes)).toEqual(JSON.parse(json));
      if (from === "S") expect(parseServerFrame(bytes)).toBeDefined();
      else if (json.includes("not ok")) expect(() => parseClientFrame(bytes)).toThrow(FrameError);
      else expect(parseClientFrame(bytes)).toBeDefined();
    },
  );

  test.each([
    ["[P4]", limits.MAX_FRAME_BYTES],
    ["[P4]", limits.MAX_SERVER_FRAME_BYTES],
    ["[P11]", limits.MAX_DEPTH],
    ["[P11]", limits.MAX_ELEMENTS],
    ["[P20]", limits.HELLO_TIMEOUT_MS],
    ["[P23]", limits.MAX_HISTORY],
    ["[P24]", limits.MAX_CREDIT_MESSAGES],
    ["[P24]", limits.MAX_CREDIT_BYTES],
    ["[P24]", limits.DEFAULT_CREDIT_MESSAGES],
    ["[P24]", limits.DEFAULT_CREDIT_BYTES],
    ["[P31]", limits.MAX_MESSAGE_BYTES],
    ["[P65]", limits.MAX_PRESENCE_BYTES],
  ])("%s states %d", (rule, limit) => {
    expect(ruleText(rule)).toContain(limit.toLocaleString("en-US"));
  });

  test("[P70] every code of the table of errors exists", () => {
    const codes = [...sectionOf("Errors").matchAll(/^\| `([a-z_]+)` +\|/gm)].map(
      ([, code]) => code,
    );
    expect(codes.length).toBeGreaterThan(10);
    for (const code of codes) {
      expect(() => describeError(code as Parameters<typeof describeError>[0]).title).not.toThrow();
    }
  });

  test("[P81] close codes and what to do about them", () => {
    const rows = [
      ...sectionOf("Closing").matchAll(/^\| ([\d, ]+?) +\| .* \| (.*?) +\|$/gm),
    ].flatMap(([, codes = "", what = ""]) =>
      codes.split(", ").map((code) => [Number(code), what] as const),
    );
    // Nobody sends 1006: a client sees it where the network broke.
    const sent = Object.values(CLOSE).map(({ code }): number => code);
    expect(rows.map(([code]) => code).toSorted((a, b) => a - b)).toEqual(
      [...sent, 1006].toSorted((a, b) => a - b),
    );
    const said = { no: "stays away", backoff: "comes back", refresh: "gets a new token" };
    for (const [code, what] of rows) {
      expect(what).toContain(said[failureOfClose(code).reconnect]);
    }
  });

  test("[P81] any other close code means: come back", () => {
    for (const code of [1005, 1015, 3000, 4000, 4999]) {
      expect(failureOfClose(code).reconnect).toBe("backoff");
    }
  });

  test("no rule has two meanings", () => {
    const rules = [...spec.matchAll(/^- \*\*(P\d+)\*\*/gm)].map(([, rule]) => rule);
    expect(rules.length).toBeGreaterThan(50);
    expect(new Set(rules).size).toBe(rules.length);
  });
});

function ruleText(rule: string): string {
  const start = spec.indexOf(`**${rule.slice(1, -1)}**`);
  return spec.slice(start, spec.indexOf("\n- **P", start + 1));
}

function sectionOf(title: string): string {
  const start = spec.indexOf(`## ${title}\n`);
  return spec.slice(start, spec.indexOf("\n## ", start));
}
