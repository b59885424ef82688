import { describe, expect, it } from "vitest";
import {
  decodeSettings,
  encodeSettings,
  parseTopicSettings,
} from "../../../durable-objects/topic/settings.ts";
import { formatOf, isContentType } from "../../../src/protocol/content-type.ts";

describe("topic settings", () => {
  it("[S6] are the same whatever the order they were given in", () => {
    const one = parseTopicSettings({ ttlMs: 5, retention: { ageMs: 1, messages: 2 } });
    const other = parseTopicSettings({ retention: { messages: 2, ageMs: 1 }, ttlMs: 5 });
    expect(encodeSettings(one)).toBe(encodeSettings(other));
    expect(encodeSettings(one)).not.toBe(encodeSettings(parseTopicSettings({ ttlMs: 5 })));
  });

  it("[S6] are stored and read back", () => {
    const settings = parseTopicSettings({
      laggards: { latest: "k" },
      retention: { messages: null, bytes: null, ageMs: null },
    });
    expect(settings.retention).toEqual({});
    const read = decodeSettings(encodeSettings(settings));
    expect(read).toEqual(settings);
    expect(encodeSettings(read)).toBe(encodeSettings(settings));
  });
});

describe("content types", () => {
  it.each([
    ["application/json", "json"],
    ["Application/JSON; charset=utf-8", "json"],
    ["text/plain", "text"],
    ["text/markdown;variant=GFM", "text"],
    ["application/octet-stream", "binary"],
    ["application/ld+json", "binary"],
  ])("[S2] %s is carried as %s", (type, format) => {
    expect(isContentType(type)).toBe(true);
    expect(formatOf(type)).toBe(format);
  });

  it.each(["", "json", "a/b/c", "a /b", "a/b\r\nx: y", "a/b;\n", "a/é", `a/${"b".repeat(300)}`])(
    "[S2] %j is none",
    (type) => {
      expect(isContentType(type)).toBe(false);
    },
  );
});
