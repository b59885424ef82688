import { describe, expect, it } from "vitest";
import { defaultSettings } from "../../../durable-objects/topic/settings.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { TopicCore } from "../../support/topic-core.ts";

const settings = defaultSettings("text/plain");

function first(...texts: readonly string[]) {
  return {
    contentType: "text/plain",
    events: texts.map((text) => ({
      event: "message",
      payload: encodeValue(text),
      id: "",
      sender: "",
    })),
  };
}

describe("[S4] a topic made with its first events", () => {
  it("[I2] has them however soon it is put to sleep", async () => {
    const core = new TopicCore();
    void core.topic.open(settings, first("a", "b"));
    core.sleep();
    expect(core.topic.describe()).toMatchObject({ tail: 2 });
    expect(await core.topic.open(settings, first("a", "b"))).toMatchObject({
      result: "same",
      tail: 2,
    });
  });

  it("[I6] is closed in the same step", async () => {
    const core = new TopicCore();
    const close = { outcome: "completed" as const, data: "" };
    void core.topic.open(settings, { ...first("a"), close });
    core.sleep();
    const again = await core.topic.open(settings, first("a"));
    expect(again).toMatchObject({ result: "same", tail: 1, isClosed: true });
  });
});

describe("[S4] a topic that has forks", () => {
  it("keeps its name until the last is gone, also after a sleep", async () => {
    const core = new TopicCore();
    core.topic.addFork("unknown");
    expect(core.topic.isGone()).toBe(false);
    await core.topic.open(settings, first("a"));
    core.topic.addFork("one");
    core.topic.addFork("two");
    core.topic.delete();
    core.topic.removeFork("one");
    core.sleep();
    expect(core.topic.isGone()).toBe(true);
    expect(core.topic.delete()).toBe(false);
    expect(await core.topic.open(settings, first("b"))).toMatchObject({ result: "gone" });
    core.topic.removeFork("two");
    expect(core.topic.isGone()).toBe(false);
    expect(await core.topic.open(settings, first("b"))).toMatchObject({ result: "created" });
  });
});
