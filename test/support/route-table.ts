/** Owns what each route asks of its caller, as the documentation says it. Refuses to know how it is checked. */
import type { Capability } from "../../src/protocol/capabilities.ts";

/** A request to a route, what it needs, and what is answered to who has that and nothing more. */
export interface RouteRow {
  readonly path: string;
  /** `public`: nobody is asked; `token`: any token will do. */
  readonly needs: "public" | "token" | readonly [target: string, capability: Capability];
  readonly answers: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

const GENERATION = `gen_${"0".repeat(32)}`;
const ROOM = "rooms/lobby:1";
const TOPIC = "topics/news:1";
const ANSWER = `generations/${GENERATION}`;
const SSE = { accept: "text/event-stream" };
const messages = [{ role: "user", content: "Hello?" }];

const room = (capability: Capability) => [ROOM, capability] as const;
const topic = (capability: Capability) => [TOPIC, capability] as const;
const answer = (capability: Capability) => [ANSWER, capability] as const;
const run = ["generations/new", "run"] as const;

/** Every route of the app, by method and pattern. Some need something else in another form. */
export const ROUTES: Readonly<Record<string, readonly RouteRow[]>> = {
  "GET /healthz": [{ path: "/healthz", needs: "public", answers: 200 }],
  "POST /v1/chat/completions": [
    { path: "/v1/chat/completions", needs: run, answers: 200, body: { messages } },
    { path: "/v1/chat/completions", needs: run, answers: 200, body: { messages, store: true } },
  ],
  "GET /v1/chat/completions/:id": [
    { path: `/v1/chat/completions/${GENERATION}`, needs: answer("read"), answers: 404 },
  ],
  "GET /v1/chat/completions/:id/events": [
    { path: `/v1/chat/completions/${GENERATION}/events`, needs: answer("read"), answers: 404 },
  ],
  "GET /api/chat/:id/events": [
    { path: `/api/chat/${GENERATION}/events`, needs: answer("read"), answers: 404 },
  ],
  "POST /v1/chat/completions/:id/cancel": [
    { path: `/v1/chat/completions/${GENERATION}/cancel`, needs: answer("cancel"), answers: 404 },
  ],
  "POST /v1/chat/completions/:id/restart": [
    { path: `/v1/chat/completions/${GENERATION}/restart`, needs: run, answers: 403 },
  ],
  "POST /v1/chat/completions/:id/continue": [
    { path: `/v1/chat/completions/${GENERATION}/continue`, needs: run, answers: 403 },
  ],
  "GET /v1/chat/completions/:id/stats": [
    { path: `/v1/chat/completions/${GENERATION}/stats`, needs: answer("read"), answers: 404 },
  ],
  "GET /v1/models": [{ path: "/v1/models", needs: run, answers: 200 }],
  "GET /v1/models/:model{.+}": [{ path: "/v1/models/gpt-5-mini", needs: run, answers: 200 }],
  "POST /v1/chat/completions/:id/links": [
    { path: `/v1/chat/completions/${GENERATION}/links`, needs: answer("read"), answers: 404 },
  ],
  "DELETE /v1/chat/completions/:id": [
    { path: `/v1/chat/completions/${GENERATION}`, needs: answer("cancel"), answers: 404 },
  ],
  "POST /api/chat": [{ path: "/api/chat", needs: run, answers: 200, body: { messages } }],
  "GET /api/chat/:chat/stream": [
    { path: "/api/chat/mine/stream", needs: ["generations/new", "read"], answers: 204 },
  ],
  "POST /api/chat/:chat/stop": [
    { path: "/api/chat/mine/stop", needs: ["generations/new", "cancel"], answers: 200 },
  ],
  "GET /v1/rooms/:room": [{ path: "/v1/rooms/lobby:1", needs: room("read"), answers: 426 }],
  "GET /v1/rooms/:room/messages": [
    { path: "/v1/rooms/lobby:1/messages", needs: room("history"), answers: 200 },
    {
      path: "/v1/rooms/lobby:1/messages",
      headers: { accept: "application/x-ndjson" },
      needs: room("history"),
      answers: 200,
    },
    { path: "/v1/rooms/lobby:1/messages?format=ndjson", needs: room("history"), answers: 200 },
  ],
  "POST /v1/rooms/:room/messages": [
    {
      path: "/v1/rooms/lobby:1/messages",
      needs: room("publish"),
      body: { event: "chat", payload: 1 },
      answers: 201,
    },
  ],
  "GET /v1/rooms/:room/documents": [
    { path: "/v1/rooms/lobby:1/documents", needs: room("history"), answers: 200 },
  ],
  "GET /v1/rooms/:room/documents/:document": [
    { path: "/v1/rooms/lobby:1/documents/notes", needs: room("history"), answers: 200 },
    {
      path: "/v1/rooms/lobby:1/documents/notes?format=binary",
      needs: room("history"),
      answers: 200,
    },
  ],
  "POST /v1/rooms/:room/documents/:document": [
    {
      path: "/v1/rooms/lobby:1/documents/notes",
      needs: room("publish"),
      body: { update: "AAA=" },
      answers: 201,
    },
  ],
  "DELETE /v1/rooms/:room/documents/:document": [
    { path: "/v1/rooms/lobby:1/documents/none", needs: room("admin"), answers: 404 },
  ],
  "GET /v1/rooms/:room/presence": [
    { path: "/v1/rooms/lobby:1/presence", needs: room("read"), answers: 200 },
  ],
  "GET /v1/rooms/:room/stats": [
    { path: "/v1/rooms/lobby:1/stats", needs: room("admin"), answers: 200 },
  ],
  "GET /v1/rooms/:room/events": [
    { path: "/v1/rooms/lobby:1/events", needs: room("read"), answers: 200 },
  ],
  "POST /v1/rooms/:room/revocations": [
    {
      path: "/v1/rooms/lobby:1/revocations",
      needs: room("admin"),
      body: { sub: "mallory" },
      answers: 201,
    },
  ],
  "GET /v1/topics": [
    { path: "/v1/topics?topic=news:1&topic=news:1", needs: topic("read"), answers: 200 },
  ],
  "POST /v1/topics": [
    {
      path: "/v1/topics",
      needs: topic("publish"),
      body: [{ topic: "news:1", data: 1 }],
      answers: 200,
    },
  ],
  "GET /v1/topics/:topic": [
    { path: "/v1/topics/news:1", needs: topic("history"), answers: 200 },
    {
      path: "/v1/topics/news:1",
      headers: { accept: "application/x-ndjson" },
      needs: topic("history"),
      answers: 200,
    },
    { path: "/v1/topics/news:1", headers: SSE, needs: topic("read"), answers: 200 },
    { path: "/v1/topics/news:1?format=sse", needs: topic("read"), answers: 200 },
  ],
  "POST /v1/topics/:topic": [
    { path: "/v1/topics/news:1", needs: topic("publish"), body: { data: 1 }, answers: 201 },
    {
      path: "/v1/topics/news:1",
      headers: { "content-type": "application/x-ndjson" },
      needs: topic("publish"),
      body: { data: 1 },
      answers: 201,
    },
  ],
  "PUT /v1/topics/:topic": [
    { path: "/v1/topics/news:1", needs: topic("admin"), body: {}, answers: 200 },
  ],
  "POST /v1/topics/:topic/close": [
    { path: "/v1/topics/news:1/close", needs: topic("admin"), body: {}, answers: 200 },
  ],
  "GET /v1/topics/:topic/stats": [
    { path: "/v1/topics/news:1/stats", needs: topic("admin"), answers: 200 },
  ],
  "POST /v1/topics/:topic/revocations": [
    {
      path: "/v1/topics/news:1/revocations",
      needs: topic("admin"),
      body: { jti: "t-1" },
      answers: 201,
    },
  ],
  "DELETE /v1/topics/:topic": [{ path: "/v1/topics/news:1", needs: topic("admin"), answers: 204 }],
  "PUT /v1/stream/:topic": [
    { path: "/v1/stream/news:1", needs: topic("admin"), answers: 201 },
    {
      path: "/v1/stream/news:1",
      headers: { "stream-forked-from": "/v1/stream/news:2" },
      needs: ["topics/news:2", "history"],
      answers: 403,
    },
  ],
  "GET /v1/stream/:topic": [
    { path: "/v1/stream/news:1?offset=-1", needs: topic("read"), answers: 200 },
    { path: "/v1/stream/news:1?offset=-1&live=sse", needs: topic("read"), answers: 200 },
    { path: "/v1/stream/news:1?offset=now&live=long-poll", needs: topic("read"), answers: 204 },
  ],
  "POST /v1/stream/:topic": [
    {
      path: "/v1/stream/news:1",
      headers: { "content-type": "application/octet-stream" },
      needs: topic("publish"),
      body: "x",
      answers: 204,
    },
    {
      path: "/v1/stream/news:1",
      headers: { "stream-closed": "true" },
      needs: topic("admin"),
      answers: 204,
    },
  ],
  "DELETE /v1/stream/:topic": [{ path: "/v1/stream/news:1", needs: topic("admin"), answers: 204 }],
  "POST /v1/jobs/demo": [
    {
      path: "/v1/jobs/demo",
      needs: ["topics/job:*", "run"],
      body: { steps: 1, stepMs: 0 },
      answers: 202,
    },
  ],
  "POST /v1/feeds/demo": [
    {
      path: "/v1/feeds/demo",
      needs: ["topics/feed:*", "run"],
      body: { ticks: 1, tickMs: 100 },
      answers: 202,
    },
  ],
  "POST /v1/tickets": [{ path: "/v1/tickets", needs: "token", answers: 201 }],
};
