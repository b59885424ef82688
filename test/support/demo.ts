/**
 * Owns how tests talk to the demo provider: requests as the SDK sends them, answers read while a
 * fake clock runs. Refuses to know what the demo should say.
 */
import { createDemoFetch } from "../../src/llm/demo/fetch.ts";
import type { FakeClock } from "./fake-clock.ts";

export const ADDRESS = "https://demo.invalid/v1/chat/completions";
export const ask = (content: unknown) => [{ role: "user", content }];

interface Delta {
  readonly role?: string;
  readonly content?: string;
  readonly reasoning_content?: string;
}
interface Chunk {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly choices: readonly { readonly delta: Delta; readonly finish_reason: string | null }[];
  readonly usage?: unknown;
  readonly error?: { readonly message: string };
}

/** Sends a request as the SDK would. */
export function send(clock: FakeClock, body: object, signal?: AbortSignal): Promise<Response> {
  const init = { method: "POST", body: JSON.stringify(body) };
  return createDemoFetch(clock)(ADDRESS, signal === undefined ? init : { ...init, signal });
}

/** Waits for work while time passes. */
export async function during<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let isSettled = false;
  const settled = work.finally(() => {
    isSettled = true;
  });
  // The failure is the caller's; it must not count as unhandled while time passes.
  settled.catch(() => {});
  await clock.advanceUntil(() => isSettled);
  return await settled;
}

/** Reads a body to its end while time passes. */
export async function readAll(clock: FakeClock, response: Promise<Response>): Promise<string> {
  return await during(
    clock,
    response.then((it) => it.text()),
  );
}

export async function readStream(clock: FakeClock, body: object): Promise<string> {
  return await readAll(clock, send(clock, { stream: true, ...body }));
}

export function dataOf(stream: string): readonly string[] {
  return stream
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => event.slice("data: ".length));
}

export function chunksOf(stream: string): readonly Chunk[] {
  return dataOf(stream)
    .filter((data) => data !== "[DONE]")
    .map((data) => JSON.parse(data) as Chunk);
}

export function textOf(stream: string): string {
  return chunksOf(stream)
    .map(({ choices }) => choices?.[0]?.delta.content ?? "")
    .join("");
}

export async function requireBody(
  response: Promise<Response>,
): Promise<ReadableStream<Uint8Array>> {
  const { body } = await response;
  if (body === null) throw new Error("no body");
  return body as ReadableStream<Uint8Array>;
}
