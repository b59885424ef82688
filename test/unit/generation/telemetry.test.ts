import { afterEach, describe, expect, it, vi } from "vitest";
import type { GenerationRecord } from "../../../durable-objects/generation/record.ts";
import { writeTelemetry } from "../../../durable-objects/generation/telemetry.ts";
import type { Ending } from "../../../src/llm/ending.ts";

const record: GenerationRecord = {
  owner: "subject:ann-the-owner",
  fingerprint: "fingerprint",
  model: `m${"x".repeat(200)}`,
  startedAt: 1,
  whenAbandoned: { kind: "continue" },
  includeUsage: false,
  metadata: '{"ticket":"secret-label"}',
  follows: null,
  said: 0,
  chat: "secret-chat",
  messageId: null,
  slots: ["secret-slot"],
  promptChars: 7,
  reservation: null,
};

const ending: Ending = {
  error: null,
  finishReason: "stop",
  model: "model-that-answered",
  usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 },
  firstChunkMs: 250,
  durationMs: 1_500,
};

function observe(how: Partial<Ending>, outcome: "completed" | "failed") {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const writeDataPoint = vi.fn<AnalyticsEngineDataset["writeDataPoint"]>();
  const ended = { id: "gen_1", record, outcome, ending: { ...ending, ...how } };
  writeTelemetry(ended, { ANALYTICS: { writeDataPoint } });
  const text = String(log.mock.calls[0]?.[0]);
  return { text, line: JSON.parse(text) as unknown, point: writeDataPoint.mock.calls[0]?.[0] };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("[B2] what the operator learns of an answer", () => {
  it("[B2] is one line by OpenTelemetry's names, and one data point", () => {
    const { line, point } = observe({}, "completed");
    expect(line).toMatchObject({
      level: "info",
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": record.model,
      "gen_ai.response.model": "model-that-answered",
      "gen_ai.response.id": "gen_1",
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.usage.input_tokens": 3,
      "gen_ai.usage.output_tokens": 5,
      "gen_ai.response.time_to_first_chunk": 0.25,
      "gen_ai.client.operation.duration": 1.5,
      "sluice.outcome": "completed",
      "sluice.usage.estimated": false,
    });
    // An index may have 96 bytes.
    expect(point).toEqual({
      indexes: [record.model.slice(0, 96)],
      blobs: ["completed", "stop", "", "model-that-answered"],
      doubles: [3, 5, 250, 1_500],
    });
  });

  it("[B2][L5] names a failure by its code", () => {
    const error = { code: "upstream_truncated", detail: "d", upstreamCode: null, retryAfter: null };
    const how = {
      error,
      finishReason: null,
      model: null,
      usage: null,
      firstChunkMs: null,
    } as const;
    const { line, point } = observe(how as Partial<Ending>, "failed");
    expect(line).toMatchObject({ level: "error", "error.type": "upstream_truncated" });
    expect(line).not.toHaveProperty("gen_ai.response.model");
    expect(point).toMatchObject({ blobs: ["failed", "", "upstream_truncated", ""] });
  });

  it("[I9] has nothing of whose it is, what was asked, and how it was labelled", () => {
    const { text } = observe({}, "completed");
    for (const secret of ["ann-the-owner", "secret"]) expect(text).not.toContain(secret);
  });
});
