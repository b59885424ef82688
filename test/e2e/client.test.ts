/** The client's suite in Node against the running Worker, through a proxy that breaks. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { answerCases } from "../client-suite/answers.ts";
import { roomCases } from "../client-suite/rooms.ts";
import { type Case, runCase } from "../client-suite/suite.ts";
import { topicCases } from "../client-suite/topics.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { openTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

let worker: RunningWorker;
let proxy: TcpProxy;

beforeAll(async () => {
  worker = await startWorker({});
  proxy = await openTcpProxy(worker.port);
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await worker[Symbol.asyncDispose]();
});

const groups: readonly (readonly [string, readonly Case[]])[] = [
  ["topics", topicCases],
  ["rooms", roomCases],
  ["answers", answerCases],
];

describe.each(groups)("%s", (_name, cases) => {
  test.each(cases.map((one) => [one.title, one] as const))("%s", async (_title, one) => {
    await runCase(one, {
      url: worker.origin,
      brokenUrl: proxy.origin,
      cut: () => {
        proxy.cut();
        return Promise.resolve();
      },
    });
  });
});
