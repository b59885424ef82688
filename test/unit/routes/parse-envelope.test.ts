import * as v from "valibot";
import { expect, it } from "vitest";
import { SluiceError } from "../../../src/protocol/errors.ts";
import { parseEnvelope } from "../../../src/routes/parse-envelope.ts";

const SCHEMA = v.strictObject({
  event: v.pipe(
    v.string(),
    v.check((text) => text === "tick"),
  ),
  data: v.unknown(),
});

/** What is said of one that arrived as this text. */
function faultOf(json: string): SluiceError {
  try {
    parseEnvelope(SCHEMA, JSON.parse(json), {
      what: "Event 3",
      shape: "{event, data}",
      members: { index: 3 },
    });
  } catch (thrown) {
    if (thrown instanceof SluiceError) return thrown;
    throw thrown;
  }
  throw new Error(`${json} was taken`);
}

it("[W4] takes what has its fields, and nothing else", () => {
  const expected = { shape: "{event, data}" };
  const item = { event: "tick", data: { deep: [1] } };
  expect(parseEnvelope(SCHEMA, item, expected)).toEqual(item);
});

it.each(["null", "7", '"tick"', "[]", '[{"event":"tick","data":1}]', '["tick"]'])(
  "[W4][E1] says that %s is no object",
  (json) => {
    expect(faultOf(json)).toMatchObject({
      code: "invalid_request",
      detail: "Event 3: no object. Expected {event, data}.",
      param: undefined,
      members: { index: 3 },
    });
  },
);

it.each(["__proto__", "constructor", "toString", "hasOwnProperty", "id", "topic", "0", ""])(
  "[W4][E1] says that a field %j is unknown",
  (name) => {
    for (const value of ["1", '{"event":"tick","data":1}', "null"]) {
      const { code, param, detail } = faultOf(`{"event":"tick","data":1,"${name}":${value}}`);
      expect([code, param]).toEqual(["invalid_request", name]);
      expect(detail).toContain(`\`${name}\` is unknown`);
    }
    expect(faultOf(`{"${name}":{"event":"tick","data":1}}`).param).toBe("event");
  },
);

it("[W4][I9] shows of a field's name the beginning, and of its value nothing", () => {
  const name = `x${"\u{1f600}".repeat(100_000)}`;
  const { detail, param = "" } = faultOf(
    JSON.stringify({ event: "tick", data: 1, [name]: "secret" }),
  );
  expect(param.length).toBe(64);
  // Half a character is none.
  expect(param.isWellFormed() && detail.isWellFormed()).toBe(true);
  expect(detail.length).toBeLessThan(200);
  expect(detail).not.toContain("secret");
  for (const value of ["secret", ["secret"], { secret: 1 }]) {
    const fault = faultOf(JSON.stringify({ event: value, data: 1 }));
    expect(`${fault.detail} ${fault.param}`).not.toContain("secret");
  }
});
