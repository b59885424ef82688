/** The figures of topics, rooms and answers, and the tables that say what they are. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({});
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

/** The names in the first column of the page's table of figures, each with a unit and a meaning. */
function documented(page: string): readonly string[] {
  const [, section = ""] = readFileSync(page, "utf8").split("\n## Figures\n");
  const [table = ""] = section.split("\n## ");
  const rows = table.matchAll(/^\| `(\w+)` +\| \S[^|]*\| \S[^|]*\|$/gm);
  return [...rows].map(([, name = ""]) => name);
}

async function figures(path: string): Promise<readonly string[]> {
  const response = await fetch(`${worker.origin}${path}/stats`);
  expect(response.status).toBe(200);
  const answer = (await response.json()) as Readonly<Record<string, unknown>>;
  expect(Object.values(answer).every((value) => typeof value === "number")).toBe(true);
  return Object.keys(answer);
}

async function post(path: string, body: unknown): Promise<Response> {
  const init = { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(worker.origin + path, init);
  expect(response.ok).toBe(true);
  await response.text();
  return response;
}

async function ask(): Promise<string> {
  const messages = [{ role: "user", content: "Hi" }];
  const { headers } = await post("/v1/chat/completions", { messages, store: true, stream: true });
  return `/v1/chat/completions/${headers.get("sluice-generation")}`;
}

test.each([
  ["docs/topics.md", "/v1/topics/figures", { data: 1 }, "/v1/topics/figures"],
  ["docs/rooms.md", "/v1/rooms/figures", { event: "e", payload: 1 }, "/v1/rooms/figures/messages"],
])(
  "[B2] %s names every figure of %s, and no other, before it exists and then",
  async (page, path, body, door) => {
    const names = documented(page).toSorted();
    expect((await figures(path)).toSorted()).toEqual(names);
    await post(door, body);
    expect((await figures(path)).toSorted()).toEqual(names);
  },
);

test("[B2] docs/generations.md names every figure of an answer, and no other", async () => {
  const names = documented("docs/generations.md").toSorted();
  expect((await figures(await ask())).toSorted()).toEqual(names);
});
