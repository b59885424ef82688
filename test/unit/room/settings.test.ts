import { expect, test } from "vitest";
import {
  readRoomClasses,
  settingsFor,
  settingsMeanwhile,
} from "../../../durable-objects/room/settings.ts";
import { SluiceError } from "../../../src/protocol/errors.ts";

const CLASSES = readRoomClasses({
  ROOM_CLASSES: JSON.stringify({
    default: { maxMessages: 5 },
    game: { laggards: "disconnect", patienceMs: 1_000, messagesPerSecond: 100 },
  }),
});

test("[B3] a room without classes has the defaults", () => {
  for (const nothing of [undefined, "", "  ", "{}"]) {
    expect(settingsFor("any:room", readRoomClasses({ ROOM_CLASSES: nothing }))).toMatchObject({
      retention: { maxEntries: 10_000, maxBytes: 64 * 1024 * 1024, maxAgeMs: 604_800_000 },
      laggards: "replay",
      patienceMs: 60_000,
      messageRate: { perSecond: 50, burst: 200 },
    });
  }
});

test("[B3] what stands before the first colon is the class of a room", () => {
  expect(settingsFor("game:1:2", CLASSES)).toMatchObject({
    laggards: "disconnect",
    patienceMs: 1_000,
    messageRate: { perSecond: 100, burst: 400 },
    retention: { maxEntries: 10_000 },
  });
});

test("[B3] rooms of no class, and of one that is not named, are of the class `default`", () => {
  for (const room of ["game", "chess:1", "__proto__:1", "constructor:1", ":game", "default:1"]) {
    expect(settingsFor(room, CLASSES)).toMatchObject({
      retention: { maxEntries: 5 },
      laggards: "replay",
    });
  }
});

test("[B3] a room that does not know its class removes nothing", () => {
  expect(settingsMeanwhile()).toMatchObject({ retention: {}, laggards: "replay" });
  expect(Object.keys(settingsMeanwhile().retention)).toEqual([]);
});

test.each([
  ["{secret", "", "JSON"],
  ['"secret"', "", "an object"],
  ["[]", "", "an object"],
  [7, "", "text"],
  [{ default: {} }, "", "text"],
  ['{"game":{"maxMessages":0}}', ".game.maxMessages", ">=1"],
  ['{"game":{"maxMessages":-5}}', ".game.maxMessages", ">=1"],
  ['{"game":{"maxMessages":1.5}}', ".game.maxMessages", "a whole number"],
  ['{"game":{"maxMessages":"secret"}}', ".game.maxMessages", "number"],
  ['{"game":[]}', ".game", "an object"],
  ['{"game":{"maxMesages":1}}', ".game.maxMesages", /^no field but maxMessages, .*replicas$/],
  ['{"game":{"__proto__":"secret"}}', ".game.__proto__", /^no field but /],
  ['{"game":{"laggards":"secret"}}', ".game.laggards", '("replay" | "disconnect")'],
  ['{"game":{"maxConnections":32001}}', ".game.maxConnections", "<=32000"],
  ['{"game":{"replicas":65}}', ".game.replicas", "<=64"],
  ['{"game:x":{}}', ".game:x", /as a class's name/],
  ['{"":{}}', ".", /as a class's name/],
  [`{"${"x".repeat(65)}":{}}`, `.${"x".repeat(64)}`, /as a class's name/],
])("[I9] of %j the place is named and what is expected, and no value", (value, path, expected) => {
  let thrown: unknown;
  try {
    readRoomClasses({ ROOM_CLASSES: value });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(SluiceError);
  const { code, detail } = thrown as SluiceError;
  expect(code).toBe("misconfigured");
  const start = `The variable ROOM_CLASSES${path} is not valid: expected `;
  expect(detail).toContain(start);
  expect(detail.slice(start.length, -1)).toEqual(
    typeof expected === "string" ? expected : expect.stringMatching(expected),
  );
  expect(detail).not.toContain("secret");
});
