import { expect, test } from "vitest";
import { settingsFor } from "../../../durable-objects/room/settings.ts";
import { SluiceError } from "../../../src/protocol/errors.ts";

const CLASSES = JSON.stringify({
  default: { maxMessages: 5 },
  game: { laggards: "disconnect", patienceMs: 1_000, messagesPerSecond: 100 },
});

test("[B3] a room without classes has the defaults", () => {
  for (const nothing of [undefined, "", "  ", 7, null]) {
    expect(settingsFor("any:room", nothing)).toMatchObject({
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

test("[I9] a wrong variable is named, and its value is not", () => {
  const wrong = [
    "{secret",
    '"secret"',
    '{"game":{"maxMessages":0}}',
    '{"game":{"maxMessages":1.5}}',
    '{"game":{"unheardOf":1}}',
    '{"game":{"laggards":"secret"}}',
    '{"game":{"maxConnections":32001}}',
    '{"a:b":{}}',
    '{"":{}}',
  ];
  for (const json of wrong) {
    let thrown: unknown;
    try {
      settingsFor("game:1", json);
    } catch (error) {
      thrown = error;
    }
    expect(thrown, json).toBeInstanceOf(SluiceError);
    expect(thrown).toMatchObject({ code: "misconfigured" });
    expect((thrown as SluiceError).detail).toContain("ROOM_CLASSES");
    expect(JSON.stringify(thrown)).not.toContain("secret");
  }
});
