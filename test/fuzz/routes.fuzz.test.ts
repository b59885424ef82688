/**
 * Every HTTP route of the running Worker under requests of all kinds: never a 500, never a hang, and
 * no error that tells more than it should. `FUZZ_ROUTES_MS` makes it longer; `SEED` repeats a run.
 */
import { once } from "node:events";
import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkErrorAnswer } from "../support/check-error-answer.ts";
import { makeApp } from "../support/make-app.ts";
import { note } from "../support/note.ts";
import { chooseSeed, SeededRandom } from "../support/seeded-random.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { type ArbitraryRequest, makeRequest, type Route } from "./arbitrary-requests.ts";

const DURATION_MS = Number(process.env["FUZZ_ROUTES_MS"] ?? 12_000);
/** Requests on their way at any time. */
const AT_ONCE = 8;
/** Milliseconds until an answer must have begun; the demo takes a few seconds for a whole one. */
const HEAD_MS = 25_000;
/** Milliseconds that an answer that goes on is read. */
const READ_MS = 150;
/** Errors of the server that a client can bring about, and that say so. */
const HONEST = new Set([
  "room_overloaded",
  "mailbox_full",
  "generation_interrupted",
  "stream_interrupted",
]);

let worker: RunningWorker;

beforeAll(async () => {
  const large = "1000000000";
  worker = await startWorker({
    LONG_POLL_MS: "100",
    KEEPALIVE_MS: "100",
    CHAT_WHEN_ABANDONED: "cancel",
    STORE_WHEN_ABANDONED: "cancel",
    ALLOWED_ORIGINS: "https://app.example.com",
    QUOTA_REQUESTS_PER_DAY: large,
    QUOTA_PUBLISHES_PER_DAY: large,
    QUOTA_BYTES_PER_DAY: large,
    QUOTA_TOKENS_PER_DAY: large,
    QUOTA_NAMES_PER_MINUTE: large,
    QUOTA_CONNECTIONS: large,
    QUOTA_ADDRESS_CONNECTIONS: large,
  });
}, 60_000);

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

/** The app's own list: a new route is tried without being named here. */
function listRoutes(): readonly [Route, ...Route[]] {
  const routes = makeApp().routes.filter(({ method }) => method !== "ALL");
  const [first, ...rest] = routes.map(({ method, path }) => ({ method, path }));
  if (first === undefined) throw new Error("the app has no routes");
  return [first, ...rest, { method: "GET", path: "/" }];
}

test(
  "[E2][I9] no request is answered with a 500, with nothing, or with what is inside",
  async () => {
    const seed = chooseSeed();
    const routes = listRoutes();
    const until = Date.now() + DURATION_MS;
    const counts = new Map<number, number>();
    let n = 0;
    const run = async (): Promise<void> => {
      while (Date.now() < until) {
        n += 1;
        const own = seed + n;
        const sent = makeRequest(new SeededRandom(own), routes);
        const status = await send(sent).catch((thrown: unknown) => {
          throw new Error(`SEED=${own - 1}: ${describe(sent)}`, { cause: thrown });
        });
        counts.set(status, (counts.get(status) ?? 0) + 1);
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, run));
    } finally {
      note(`seed ${seed}: ${n} requests, ${JSON.stringify(Object.fromEntries(counts))}`);
    }
    // Requests that go through are part of it.
    expect(counts.get(200)).toBeGreaterThan(0);
    expect(counts.get(201)).toBeGreaterThan(0);
    expect(
      worker.logs.filter((line) => /"code":"internal"|uncaught|exception/i.test(line)),
    ).toEqual([]);
  },
  DURATION_MS + 60_000,
);

/** Sends it, looks at what comes, and resolves with the status. */
async function send({ method, path, headers, body }: ArbitraryRequest): Promise<number> {
  const sent = request({
    host: "127.0.0.1",
    port: worker.port,
    method,
    path,
    agent: false,
    headers: {
      host: "localhost",
      ...headers,
      ...(body.length === 0 ? {} : { "content-length": body.length }),
      ...(headers["upgrade"] === undefined ? {} : { connection: "upgrade" }),
    },
  });
  const deadline = setTimeout(() => {
    sent.destroy(new Error("no answer in time"));
  }, HEAD_MS);
  try {
    return await new Promise((resolve, reject) => {
      sent.on("error", reject);
      sent.on("upgrade", (response, socket) => {
        socket.destroy();
        resolve(response.statusCode ?? 0);
      });
      sent.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
        response.on("error", () => {});
        const status = response.statusCode ?? 0;
        const check = (): void => {
          const type = response.headers["content-type"];
          try {
            checkAnswer(status, type, text);
            resolve(status);
          } catch (thrown) {
            reject(thrown);
          }
        };
        const enough = setTimeout(
          () => {
            response.destroy();
            check();
          },
          status < 400 ? READ_MS : HEAD_MS,
        );
        response.on("end", () => {
          clearTimeout(enough);
          check();
        });
      });
      sent.end(body);
    });
  } finally {
    clearTimeout(deadline);
    sent.destroy();
    if (!sent.closed) await once(sent, "close").catch(() => {});
  }
}

function checkAnswer(status: number, type: string | undefined, text: string): void {
  checkErrorAnswer(status, type, text);
  const code = /"code":"(\w+)"/.exec(text)?.[1] ?? "";
  if (status >= 500 && !HONEST.has(code)) throw new Error(`${status} ${text}`);
}

function describe({ method, path, headers, body }: ArbitraryRequest): string {
  return `${method} ${path} ${JSON.stringify(headers)} ${new TextDecoder().decode(body)}`;
}
