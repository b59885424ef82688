/**
 * Owns requests that nobody would send who means well, and many that somebody would: one for each
 * seed. Refuses to judge what is answered.
 */
import type { SeededRandom } from "../support/seeded-random.ts";

/** A request as it is sent. */
export interface ArbitraryRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A route of the app. */
export interface Route {
  readonly method: string;
  readonly path: string;
}

type Pool = readonly [string, ...string[]];

const METHODS: Pool = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "OPTIONS",
  "PATCH",
  "PROPFIND",
  "QUERY",
];

const NAMES: Pool = [
  "a",
  "b",
  "text",
  "gen_0123456789abcdef0123456789abcdef",
  "__proto__",
  "constructor",
  "toString",
  "..",
  ".",
  "%2e%2e",
  "..%2f..%2fhealthz",
  "%00",
  "%",
  "%zz",
  "%C0%AE",
  "%F0%9F%92%A9",
  "%D0%B0",
  "a%0d%0aset-cookie:x",
  "a;b=c",
  "job:x",
  "default:x",
  "-",
  "x".repeat(128),
  "x".repeat(129),
  "%41".repeat(300),
];

const VALUES: Pool = [
  "",
  "0",
  "1",
  "-1",
  "100",
  "1000",
  "1001",
  "9007199254740993",
  "1e9",
  "NaN",
  "null",
  "true",
  "start",
  "now",
  "-1_0",
  "-_0000000000000000",
  "0000000000000000_0000000000000001",
  "~~~~~~~~~~_9999999999999999",
  "sse",
  "json",
  "ndjson",
  "long-poll",
  "gzip",
  "gzip;q=0, *",
  "identity",
  "websocket",
  "sluice.v1",
  "sluice.v1, sluice.bearer.a.b.c",
  "Bearer a.b.c",
  "Bearer",
  "durable",
  "grace=1",
  "grace=99999999999999999999",
  "cancel",
  "text/event-stream",
  "application/x-ndjson",
  "application/json",
  "text/plain",
  "application/octet-stream",
  "multipart/form-data",
  "application/json; charset=utf-16",
  ";;;=,",
  "bytes=0-99999999",
  '"e:0:0"',
  "http://localhost:3000",
  "https://evil.example",
  "::1",
  "999.999.999.999",
  "%00%0a",
  "\u00e9\u00ff",
  "x".repeat(64),
  "x".repeat(300),
  "a,b,c",
];

const QUERY: Pool = [
  "topic",
  "after",
  "from",
  "limit",
  "history",
  "format",
  "offset",
  "live",
  "cursor",
  "lastEventId",
  "event",
  "id",
  "__proto__",
  "x[]",
];

const HEADERS: Pool = [
  "accept",
  "accept-encoding",
  "authorization",
  "cf-connecting-ip",
  "content-encoding",
  "content-type",
  "cookie",
  "idempotency-key",
  "if-none-match",
  "last-event-id",
  "origin",
  "prefer",
  "producer-epoch",
  "producer-id",
  "producer-seq",
  "range",
  "sec-websocket-protocol",
  "sluice-door",
  "sluice-member",
  "sluice-slots",
  "sluice-start",
  "sluice-starting",
  "sluice-when-abandoned",
  "stream-closed",
  "stream-cursor",
  "stream-expires-at",
  "stream-fork-offset",
  "stream-forked-from",
  "stream-next-offset",
  "stream-seq",
  "stream-ttl",
  "upgrade",
  "x-request-id",
];

/** Bodies that mean something to a route, to be spoiled a little. */
const BODIES: Pool = [
  '{"messages":[{"role":"user","content":"Hello"}],"model":"demo"}',
  '{"messages":[{"role":"user","content":"Hello"}],"stream":true,"store":true}',
  '{"id":"chat1","messages":[{"id":"m1","role":"user","parts":[{"type":"text","text":"Hi"}]}],"trigger":"submit-message"}',
  '{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,"}}]}],"tools":[]}',
  '{"event":"message","data":{"a":[1,2,{"b":null}]},"id":"e1"}',
  '[{"event":"a","data":1},{"data":"x"}]',
  '[{"topic":"a","data":1},{"topic":"b","event":"x","data":2}]',
  '{"event":"a","payload":{"x":1.5},"id":"m"}',
  '[{"event":"a","payload":null},{"event":"b","payload":[[]]}]',
  '{"contentType":"text/plain","retention":{"messages":10},"ttlMs":1000,"laggards":{"latest":"key"}}',
  '{"outcome":"failed","data":{"why":"x"}}',
  '{"steps":1,"stepMs":0,"fails":true}',
  '{"activeStreamId":"gen_0"}',
  '{"data":1}\n{"data":2}\n\n{"data":',
];

/** What a token of JSON is replaced with. */
const TOKENS: Pool = [
  "null",
  "true",
  "-0",
  "1e400",
  "99999999999999999999",
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '"__proto__"',
  "[]",
  "{}",
  '{"__proto__":{"x":1},"constructor":{"prototype":1}}',
  '"' + "y".repeat(2_000) + '"',
  "[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]",
  "",
];

/** The request of a seed. */
export function makeRequest(
  random: SeededRandom,
  routes: readonly [Route, ...Route[]],
): ArbitraryRequest {
  const route = random.pick(routes);
  const method = random.chance(0.8) && route.method !== "ALL" ? route.method : random.pick(METHODS);
  const path = random.chance(0.03)
    ? `/${Array.from({ length: random.between(0, 6) }, () => random.pick(NAMES)).join("/")}`
    : route.path.replaceAll(/:\w+|\*/g, () => nameOf(random));
  const query = Array.from(
    { length: random.chance(0.5) ? 0 : random.between(1, 4) },
    () => `${random.pick(QUERY)}=${encodeURIComponent(random.pick(VALUES))}`,
  );
  const headers: Record<string, string> = {};
  for (let n = random.between(0, 4); n > 0; n -= 1) {
    headers[random.pick(HEADERS)] = random.pick(VALUES);
  }
  const hasBody = method !== "GET" && method !== "HEAD" && random.chance(0.9);
  return {
    method,
    path: query.length === 0 ? path : `${path}?${query.join("&")}`,
    headers,
    body: hasBody ? bodyOf(random) : new Uint8Array(),
  };
}

/** Mostly one of a few, so that requests meet each other's rooms, topics and answers. */
function nameOf(random: SeededRandom): string {
  return random.chance(0.7) ? random.pick(["a", "b", "text"]) : random.pick(NAMES);
}

function bodyOf(random: SeededRandom): Uint8Array {
  let text = random.pick(BODIES);
  for (let n = random.between(0, 3); n > 0; n -= 1) text = spoil(random, text);
  const bytes = new TextEncoder().encode(text);
  if (random.chance(0.15)) bytes[random.between(0, bytes.length - 1)] = random.between(0, 255);
  if (random.chance(0.1)) return bytes.subarray(0, random.between(0, bytes.length));
  return bytes;
}

function spoil(random: SeededRandom, text: string): string {
  const tokens = [...text.matchAll(/"[^"]*"|[\d.]+|null|true|\[|\{/g)];
  const token = tokens[random.between(0, Math.max(0, tokens.length - 1))];
  if (token === undefined) return random.pick(TOKENS);
  return (
    text.slice(0, token.index) + random.pick(TOKENS) + text.slice(token.index + token[0].length)
  );
}
