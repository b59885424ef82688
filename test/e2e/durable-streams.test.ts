/** The Durable Streams protocol: its own conformance suite, and its own client, both unchanged. */
import { DurableStream, IdempotentProducer, stream } from "@durable-streams/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { type Case, runConformance } from "../support/run-conformance.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";

/** Groups of the suite that do not run, and why. */
const NOT_RUN = new Map([
  ["Reserved subscription APIs", "the suite leaves them out unless a server says that it has them"],
]);

/** Cases that fail, and why. */
const EXCLUDED = new Map<string, string>();

/** Cases of the version of the suite that is installed; another number means that some did not run. */
const CASES = 332;

const SUITE_TIMEOUT_MS = 300_000;

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({ LONG_POLL_MS: "1000" });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

test(
  "[S4] the protocol's conformance suite passes",
  async () => {
    const cases = await runConformance(worker.origin);
    const ran = cases.filter(({ group }) => !NOT_RUN.has(group));
    const failed = ran.filter(({ name, status }) => status !== "passed" && !EXCLUDED.has(name));
    expect(failed.map(describeCase)).toEqual([]);
    // An exclusion that is no longer needed goes.
    const mended = ran.filter(({ name, status }) => status === "passed" && EXCLUDED.has(name));
    expect(mended.map(describeCase)).toEqual([]);
    expect(ran).toHaveLength(CASES);
    expect(worker.logs.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  },
  SUITE_TIMEOUT_MS,
);

function describeCase({ name, status, message }: Case): string {
  return `${name}: ${status} ${message}`;
}

describe("[S4] @durable-streams/client, unchanged,", () => {
  const open = (name: string) => ({
    url: `${worker.origin}/v1/stream/${name}`,
    contentType: "application/json",
  });

  test.each(["sse", "long-poll"] as const)(
    "reads live by %s what came before and after",
    async (live) => {
      const handle = await DurableStream.create(open(`client-${live}`));
      await handle.append(JSON.stringify({ n: 1 }));
      const seen: unknown[] = [];
      const response = await stream<{ readonly n: number }>({ url: handle.url, live });
      response.subscribeJson(({ items }) => {
        seen.push(...items);
      });
      await until("the first message", () => seen.length === 1);
      await handle.append(JSON.stringify({ n: 2 }));
      await until("the second message", () => seen.length === 2);
      await handle.close({ body: JSON.stringify({ n: 3 }) });
      // The response may be over before its subscriber has been given the last of it.
      await until("the last message", () => seen.length === 3);
      await response.closed;
      expect(seen).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    },
  );

  test("goes on where it was", async () => {
    const handle = await DurableStream.create(open("client-resume"));
    await handle.append(JSON.stringify("before"));
    const first = await stream({ url: handle.url, live: false });
    expect(await first.json()).toEqual(["before"]);
    await handle.append(JSON.stringify("after"));
    const second = await stream({ url: handle.url, live: false, offset: first.offset });
    expect(await second.json()).toEqual(["after"]);
  });

  test("[I2] writes each message once with its idempotent producer", async () => {
    const handle = await DurableStream.create(open("client-producer"));
    const errors: Error[] = [];
    const producer = new IdempotentProducer(handle, "writer", {
      autoClaim: true,
      onError: (error) => {
        errors.push(error);
      },
    });
    const sent = Array.from({ length: 500 }, (_, n) => n);
    for (const n of sent) producer.append(JSON.stringify(n));
    await producer.flush();
    await producer.close();
    expect(errors).toEqual([]);
    const response = await stream<number>({ url: handle.url, live: false });
    expect(await response.json()).toEqual(sent);
    expect(await handle.head()).toMatchObject({ streamClosed: true });
  });
});
