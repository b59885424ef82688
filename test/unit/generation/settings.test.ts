import { describe, expect, it } from "vitest";
import {
  readGenerationSettings,
  settingsOf,
} from "../../../durable-objects/generation/settings.ts";

describe("[L3] the operator's settings for answers", () => {
  it("[L3] go on or wait a minute when nothing is set, and allow every policy", () => {
    const { whenAbandoned, ttlMs } = readGenerationSettings({});
    expect(whenAbandoned).toEqual({
      store: { kind: "continue" },
      chat: { kind: "grace", seconds: 60 },
      allowed: new Set(["continue", "cancel", "grace"]),
      maxGraceS: 3_600,
    });
    expect(ttlMs).toBe(86_400_000);
  });

  it.each([
    ["STORE_WHEN_ABANDONED", "perhaps"],
    ["CHAT_WHEN_ABANDONED", "grace=-1"],
    ["MAX_GRACE_S", "0"],
    ["GENERATION_TTL_S", "a day"],
  ])("[I9] name %s and not its value when it cannot be used", (name, value) => {
    const read = (): unknown => readGenerationSettings({ [name]: value });
    expect(read).toThrow("misconfigured");
    try {
      read();
    } catch (thrown) {
      expect(thrown).toMatchObject({ detail: expect.stringContaining(name) as unknown });
      expect(thrown).not.toMatchObject({ detail: expect.stringContaining(value) as unknown });
    }
  });

  it("[B2] are read once for all objects of a deployment", () => {
    const env = { OPENAI_MODEL: "ours" };
    expect(settingsOf(env)).toBe(settingsOf(env));
    expect(settingsOf({ ...env })).not.toBe(settingsOf(env));
  });
});
