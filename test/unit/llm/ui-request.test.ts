import { describe, expect, it } from "vitest";
import { isUiBody, parseUiRequest } from "../../../src/llm/ui-request.ts";

describe("[E1] what useChat sends", () => {
  it("[E1] becomes OpenAI's messages: text, images, files, tools and their results", () => {
    const body = {
      id: "chat-1",
      trigger: "submit-message",
      model: "some-model",
      messages: [
        { id: "s", role: "system", parts: [{ type: "text", text: "Be brief." }] },
        {
          id: "u",
          role: "user",
          parts: [
            { type: "text", text: "What is this?" },
            { type: "file", mediaType: "image/png", url: "data:image/png;base64,AA==" },
            {
              type: "file",
              mediaType: "application/pdf",
              url: "data:application/pdf;base64,AA==",
              filename: "a.pdf",
            },
            { type: "data-mood", data: 1 },
          ],
        },
        {
          id: "a",
          role: "assistant",
          parts: [
            { type: "step-start" },
            { type: "reasoning", text: "hm" },
            { type: "text", text: "Let me look." },
            {
              type: "tool-weather",
              toolCallId: "1",
              state: "output-available",
              input: { c: 1 },
              output: { t: 2 },
            },
            {
              type: "tool-news",
              toolCallId: "2",
              state: "output-error",
              input: {},
              errorText: "no",
            },
            { type: "tool-slow", toolCallId: "3", state: "input-available", input: {} },
            { type: "step-start" },
            { type: "text", text: "Two degrees." },
          ],
        },
        { id: "v", role: "user", parts: [{ type: "text", text: "Thanks" }] },
      ],
    };
    expect(isUiBody(body)).toBe(true);
    const weather = {
      id: "1",
      type: "function",
      function: { name: "weather", arguments: '{"c":1}' },
    };
    const news = { id: "2", type: "function", function: { name: "news", arguments: "{}" } };
    expect(parseUiRequest(body)).toEqual({
      chat: "chat-1",
      messageId: undefined,
      body: {
        model: "some-model",
        messages: [
          { role: "system", content: "Be brief." },
          {
            role: "user",
            content: [
              { type: "text", text: "What is this?" },
              { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
              {
                type: "file",
                file: { file_data: "data:application/pdf;base64,AA==", filename: "a.pdf" },
              },
            ],
          },
          { role: "assistant", content: "Let me look.", tool_calls: [weather, news] },
          { role: "tool", tool_call_id: "1", content: '{"t":2}' },
          { role: "tool", tool_call_id: "2", content: '{"error":"no"}' },
          { role: "assistant", content: "Two degrees." },
          { role: "user", content: "Thanks" },
        ],
      },
    });
  });

  it("[E1] goes on with the message to which a tool's result was added", () => {
    const messages = [{ id: "a", role: "assistant", parts: [{ type: "text", text: "x" }] }];
    expect(parseUiRequest({ messages }).messageId).toBe("a");
  });

  it("[W4] is refused with the field that is wrong", () => {
    expect(isUiBody({ messages: [{ role: "user", content: "x" }] })).toBe(false);
    expect(() => parseUiRequest({ messages: [{ role: "tool", parts: [] }] })).toThrow(
      "invalid_request",
    );
    expect(() => parseUiRequest({ id: "x".repeat(129), messages: [] })).toThrow("invalid_request");
    const messages = [{ role: "user", parts: [{ type: "text", text: "x" }] }];
    // No address could name these.
    for (const id of [".", ".."]) {
      expect(() => parseUiRequest({ id, messages })).toThrow(
        expect.objectContaining({ detail: "id: expected a name other than `.` and `..`." }),
      );
    }
    expect(parseUiRequest({ id: "...", messages }).chat).toBe("...");
  });
});
