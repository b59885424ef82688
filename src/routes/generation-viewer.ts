/**
 * Owns the answering of a request from a generation: streamed in a format, or whole. Every viewer
 * reads the log, the one who asked first, too. Refuses to know why a generation is watched.
 */
import { type Description, endingOf } from "../../durable-objects/generation/description.ts";
import type { GenerationObject } from "../../durable-objects/generation.ts";
import { expiryOf } from "../auth/principal.ts";
import { Assembly } from "../llm/assemble.ts";
import type { Dialect } from "../llm/dialects/dialect.ts";
import { errorOf } from "../llm/ending.ts";
import { type EventPosition, renderStoredAnswer } from "../llm/render-stored.ts";
import { failEarly, readStoredAnswer, type StoredItem } from "../llm/stored-answer.ts";
import { SluiceError } from "../protocol/errors.ts";
import { COMMIT_AFTER_MS } from "../protocol/limits.ts";
import type { ReaderStart } from "../protocol/reader-start.ts";
import { type GatewayFrame, readFrames } from "../sse/gateway.ts";
import { respondWithEvents, respondWithoutEvents } from "../sse/response.ts";
import { type AbortScope, openScope } from "../stream/abort.ts";
import { peek } from "../stream/peek.ts";
import type { AppContext } from "./app-env.ts";
import { isHead } from "./is-head.ts";
import { permitHeaders } from "./require-access.ts";
import { openReader, wouldOpenReader } from "./open-reader.ts";
import { openCounted } from "./slots.ts";

export type GenerationStub = DurableObjectStub<GenerationObject>;

/** A generation and what is known of it. */
export interface Viewed {
  readonly id: string;
  readonly stub: GenerationStub;
  readonly description: Description;
  /** A viewer's socket, when it was asked for already. */
  readonly socket?: Promise<WebSocket> | undefined;
}

/** How the events look and where they begin. */
interface EventOptions {
  readonly dialect: Dialect;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where the reader is; at the beginning, a failure in time is an HTTP status. */
  readonly from?: EventPosition | undefined;
  /** Whether events get an id to go on from. */
  readonly withIds: boolean;
  /** Usage is asked for in any case; whether the reader shall see the chunk with it. */
  readonly showsUsage: boolean;
}

/** Header that names a generation. */
export const GENERATION_HEADER = "sluice-generation";

/**
 * Opens a viewer's socket, also while the answer is being asked for.
 *
 * @throws SluiceError `not_found`, `room_overloaded`, `stream_interrupted`.
 */
export async function openViewer(
  c: AppContext,
  id: string,
  start: ReaderStart,
  headers: Readonly<Record<string, string>>,
): Promise<WebSocket> {
  try {
    return await openReader(c.env.GENERATIONS.getByName(id), start, {
      ...permitHeaders(c, "generations", id),
      ...headers,
    });
  } catch (thrown) {
    if (thrown instanceof SluiceError) throw thrown;
    // The object went down with the request; another call finds it up again.
    throw new SluiceError("stream_interrupted", { cause: thrown });
  }
}

/**
 * Streams a generation's events.
 *
 * @throws SluiceError for a failure in time.
 */
export async function respondWithGenerationEvents(
  c: AppContext,
  viewed: Viewed,
  { dialect, headers, from, withIds, showsUsage }: EventOptions,
): Promise<Response> {
  const { deps, config, requestId } = c.var;
  const { epoch } = viewed.description;
  const start = from ?? { epoch, seq: 0, part: 0 };
  if (isHead(c)) {
    if (from === undefined) refuseFailed(viewed.description);
    await wouldOpenReader(viewed.stub, start, permitHeaders(c, "generations", viewed.id));
    return respondWithoutEvents({ [GENERATION_HEADER]: viewed.id, ...headers });
  }
  const scope = openScope(c.req.raw.signal);
  try {
    const items = readItems(c, viewed, { seq: start.seq, scope });
    let isCommitted = false;
    const answer =
      from === undefined
        ? await peek(
            failEarly(items, () => isCommitted),
            { patienceMs: COMMIT_AFTER_MS, clock: deps.clock },
          )
        : items;
    isCommitted = true;
    const chunks = renderStoredAnswer(answer, {
      dialect: showsUsage ? dialect : withoutUsage(dialect),
      from: start,
      withIds,
      signal: scope.signal,
      report: ({ code, detail }) => {
        deps.log({ level: "error", code, detail, requestId });
      },
    });
    return respondWithEvents(chunks, {
      clock: deps.clock,
      keepaliveMs: config.keepaliveMs,
      abort: scope.abort,
      headers: { [GENERATION_HEADER]: viewed.id, ...headers },
    });
  } catch (error) {
    scope[Symbol.dispose]();
    throw error;
  }
}

/** Who would be answered with a failure is told of it, without asking for the answer, too. */
function refuseFailed({ end, tail }: Description): void {
  const error = end === undefined || tail > 0 ? undefined : errorOf(end.outcome, endingOf(end));
  if (error !== undefined) throw error;
}

/**
 * The whole answer in OpenAI's shape, once it is there.
 *
 * @throws SluiceError why there is none, or only a part of one.
 */
export async function readWholeAnswer(
  c: AppContext,
  viewed: Viewed,
): Promise<Record<string, unknown>> {
  using scope = openScope(c.req.raw.signal);
  const { answer, end } = await assemble(readItems(c, viewed, { seq: 0, scope }));
  const error = errorOf(end.outcome, end.ending);
  if (error !== undefined) throw error;
  return answer;
}

/** What there is of an answer that has ended, in whatever way. */
export async function readEndedAnswer(
  c: AppContext,
  viewed: Viewed,
): Promise<Record<string, unknown>> {
  using scope = openScope(c.req.raw.signal);
  const { answer } = await assemble(readItems(c, viewed, { seq: 0, scope }));
  return answer;
}

/** Nothing is opened before the first item is asked for, but for a socket that is open already. */
function readItems(
  c: AppContext,
  { id, socket, description: { epoch } }: Viewed,
  { seq, scope }: { readonly seq: number; readonly scope: AbortScope },
): AsyncGenerator<StoredItem, void, undefined> {
  const { clock, random } = c.var.deps;
  const { signal } = scope;
  let ready = socket;
  const open = async (after: number): Promise<AsyncIterable<GatewayFrame>> => {
    // A stub is of no use any more once its object has gone down.
    const opening =
      ready ??
      openCounted(
        c,
        { kind: "generation", name: id },
        async (slots) => await openViewer(c, id, { epoch, seq: after }, slots),
      );
    ready = undefined;
    const expiresAt = expiryOf(c.var.principal);
    return readFrames(await opening, { clock, signal, expiresAt });
  };
  return readStoredAnswer({ epoch, open, clock, random, signal }, seq);
}

async function assemble(
  items: AsyncIterable<StoredItem>,
): Promise<{ answer: Record<string, unknown>; end: StoredItem & { kind: "end" } }> {
  const assembly = new Assembly();
  for await (const item of items) {
    if (item.kind === "end") return { answer: assembly.finish(item.ending.usage), end: item };
    for (const { chunk } of item.chunks) assembly.add(chunk);
  }
  throw new SluiceError("stream_interrupted");
}

/** The same without the chunk that has nothing but the usage. */
function withoutUsage(dialect: Dialect): Dialect {
  return {
    chunk: (chunk) => (isUsageOnly(chunk.json, chunk) ? "" : dialect.chunk(chunk)),
    end: () => dialect.end(),
    error: (error) => dialect.error(error),
  };
}

/** Looked for as text first: most formats never parse a chunk. */
function isUsageOnly(
  json: string,
  stored: { readonly chunk: { readonly choices: readonly unknown[]; readonly usage?: unknown } },
): boolean {
  if (!/"choices"\s*:\s*\[\s*\]/.test(json)) return false;
  const { choices, usage } = stored.chunk;
  return choices.length === 0 && typeof usage === "object" && usage !== null;
}
