/** What is where: methods, unknown addresses, the page's files. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { sendRequest } from "../support/send-request.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({ ALLOWED_ORIGINS: "https://app.example.com" });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

const send = (method: string, path: string, headers: Readonly<Record<string, string>> = {}) =>
  sendRequest({ port: worker.port, method, path, headers, body: "" });

test.each([
  ["GET", "/api/chat", "POST"],
  ["GET", "/v1/chat/completions", "POST"],
  ["DELETE", "/v1/chat/completions", "POST"],
  ["HEAD", "/api/chat", "POST"],
  ["POST", "/healthz", "GET, HEAD"],
  ["PUT", "/healthz", "GET, HEAD"],
  ["POST", "/", "GET, HEAD"],
  ["DELETE", "/lib/console.css", "GET, HEAD"],
])("[L5] %s %s is told the right methods", async (method, path, allow) => {
  const { status, headers, body } = await send(method, path, { origin: "https://app.example.com" });
  expect([status, headers["allow"]]).toEqual([405, allow]);
  expect(headers["content-type"]).toBe("application/problem+json");
  expect(headers["access-control-allow-origin"]).toBe("https://app.example.com");
  if (method === "HEAD") return;
  expect(body).toMatchObject({ status: 405, code: "method_not_allowed" });
  expect(body["requestId"]).toBe(headers["x-request-id"]);
  if (path.startsWith("/v1")) expect(body["error"]).toMatchObject({ code: "method_not_allowed" });
});

test.each([
  ["GET", "/nowhere"],
  ["POST", "/nowhere"],
  ["GET", "/nowhere/console.css"],
  ["GET", "/healthz/more"],
  ["GET", "/v1"],
  ["POST", "/v1/nowhere"],
  ["DELETE", "/api/nowhere"],
  ["GET", "/src/index.ts"],
  ["GET", "/tsconfig.json"],
  ["GET", "/.assetsignore"],
  ["GET", "/_headers"],
])("[L5] %s %s is nothing, said as a problem", async (method, path) => {
  const { status, headers, body } = await send(method, path);
  expect([status, headers["content-type"]]).toEqual([404, "application/problem+json"]);
  expect(body).toMatchObject({ status: 404, code: "not_found" });
  expect(body["requestId"]).toBe(headers["x-request-id"]);
});

test("[E1] the page and its parts are still there", async () => {
  for (const [method, path] of [
    ["GET", "/"],
    ["HEAD", "/"],
    ["GET", "/lib/console.js"],
    ["GET", "/healthz"],
    ["HEAD", "/healthz"],
  ] as const) {
    expect([path, (await send(method, path)).status]).toEqual([path, 200]);
  }
});
