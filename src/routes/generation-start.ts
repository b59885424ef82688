/**
 * Owns the way from a checked request to a generation: its name, its owner, its policy. Refuses to
 * know how its answer is shown.
 */
import type { Description } from "../../durable-objects/generation/description.ts";
import type { StartCall } from "../../durable-objects/generation.ts";
import { STARTING_HEADER } from "../../durable-objects/platform/headers.ts";
import {
  parseWhenAbandoned,
  type WhenAbandoned,
} from "../../durable-objects/generation/when-abandoned.ts";
import { unwrap } from "../../durable-objects/platform/outcome.ts";
import type { Principal } from "../auth/principal.ts";
import { isRecord } from "../llm/chunk.ts";
import { type ChatRequest, WHEN_ABANDONED_FIELD } from "../llm/request.ts";
import type { Capability } from "../protocol/capabilities.ts";
import { SluiceError } from "../protocol/errors.ts";
import { MAX_IDEMPOTENCY_KEY_CHARS } from "../protocol/limits.ts";
import { CLOSE } from "../protocol/close-codes.ts";
import type { AppContext } from "./app-env.ts";
import { may, requireAccess } from "./require-access.ts";
import { type GenerationStub, openViewer, type Viewed } from "./generation-viewer.ts";
import { keepSpare } from "./generation-spare.ts";
import { releaseSlots, slotsHeader } from "./slots.ts";
import { checkCallSize } from "./call-size.ts";
import { reserveAnswer, settleTokens } from "./token-quota.ts";

/** What an answer is asked for with. */
export interface Ask {
  readonly request: ChatRequest;
  /** What the caller sent, to tell a repeated request from another with the same key. */
  readonly body: unknown;
  readonly whenAbandoned: WhenAbandoned;
  readonly chat?: string | undefined;
  readonly messageId?: string | undefined;
  readonly follows?: string | undefined;
  /** Chunks, as JSON, that the answer begins with, because they were said before. */
  readonly said?: readonly string[] | undefined;
}

const ID = /^gen_[0-9a-f]{32}$/;

/** Whose answers a caller has asked for. */
export function ownerOf(principal: Principal): string {
  return principal.kind === "subject" ? `subject:${principal.subject}` : principal.kind;
}

/** Who an answer has to belong to, for the caller to see it; null: whoever's it is. */
export function ownerFor(c: AppContext, id: string): string | null {
  const { principal } = c.var;
  const isAnybodys =
    principal.kind === "link" ||
    (principal.kind === "subject" && may(c, "generations", id, "admin"));
  return isAnybodys ? null : ownerOf(principal);
}

/**
 * The generation with an id, for a caller who may do this to it; it may not exist.
 *
 * @throws SluiceError `not_found` for what is no id, `forbidden`.
 */
export function openGeneration(c: AppContext, id: string, capability: Capability): GenerationStub {
  if (!ID.test(id)) throw new SluiceError("not_found");
  requireAccess(c, "generations", id, capability);
  return c.env.GENERATIONS.getByName(id);
}

/** Whether the request names itself, so that repeating it does no harm. */
export function idempotencyKey(c: AppContext): string | undefined {
  const key = c.req.header("idempotency-key");
  if (key === undefined || (key !== "" && key.length <= MAX_IDEMPOTENCY_KEY_CHARS)) return key;
  throw new SluiceError("invalid_request", {
    detail: `An Idempotency-Key has 1 to ${MAX_IDEMPOTENCY_KEY_CHARS} characters.`,
    param: "Idempotency-Key",
  });
}

/**
 * What becomes of the answer when nobody watches it: what the request asks for in its header or its
 * body, within the operator's bounds, or else the route's default.
 *
 * @throws SluiceError `invalid_request`.
 */
export function readWhenAbandoned(
  c: AppContext,
  body: unknown,
  fallback: WhenAbandoned,
): WhenAbandoned {
  const header = c.req.header("sluice-when-abandoned");
  const field = isRecord(body) ? (body[WHEN_ABANDONED_FIELD] ?? undefined) : undefined;
  const text = header ?? field;
  if (text === undefined) return fallback;
  const { allowed, maxGraceS } = c.var.config.generations.whenAbandoned;
  const policy = typeof text === "string" ? parseWhenAbandoned(text.trim()) : undefined;
  if (policy === undefined || !allowed.has(policy.kind)) {
    const words = [...allowed].map((kind) => (kind === "grace" ? "grace=<seconds>" : kind));
    throw new SluiceError("invalid_request", {
      detail: `Expected ${words.join(" or ")}.`,
      param: header === undefined ? WHEN_ABANDONED_FIELD : "Sluice-When-Abandoned",
    });
  }
  if (policy.kind !== "grace") return policy;
  return { kind: "grace", seconds: Math.min(policy.seconds, maxGraceS) };
}

/**
 * Starts an answer, or finds the one that the same request has started, and opens a viewer's socket
 * on the way: both calls travel together.
 *
 * @throws SluiceError `idempotency_conflict`, `too_many_generations`, `quota_exceeded`, `body_too_large`.
 */
export async function startGeneration(c: AppContext, ask: Ask): Promise<Viewed> {
  const owner = ownerOf(c.var.principal);
  const { request, chat, messageId, follows, said = [], whenAbandoned } = ask;
  const { store, metadata, ...rest } = request;
  const asked = JSON.stringify({
    ...rest,
    // What is stored here needs no second copy at the provider, which would take the labels only then.
    ...(store === true || metadata === undefined ? {} : { metadata }),
    stream: true,
    stream_options: { ...readStreamOptions(request), include_usage: true },
  });
  checkCallSize([asked, ...said]);
  const same = { owner, fingerprint: await digest(JSON.stringify([c.req.path, ask.body])) };
  const { id, putBack } = await nameGeneration(c, owner);
  // Whoever comes here was allowed to ask for it.
  const stub = c.env.GENERATIONS.getByName(id);
  const held = await reserveAnswer(c, request, {
    kind: "generation",
    name: id,
    until: null,
    // Asked for again it is the same answer; one of a chat takes the place of that before it.
    group: chat === undefined ? id : JSON.stringify([owner, chat]),
  }).catch(async (refusal: unknown): Promise<Viewed> => {
    putBack();
    // What is there was paid for, and whoever lost the connection to it asks again.
    const description = await findSame(c, stub, same);
    if (description === undefined) throw refusal;
    return { id, stub, description };
  });
  if ("id" in held) return held;
  const { reservation, connection, writing } = held;
  const attempt = c.var.deps.newId();
  const call: StartCall = {
    attempt,
    record: {
      ...same,
      model: request.model,
      whenAbandoned,
      includeUsage: readStreamOptions(request)["include_usage"] === true,
      metadata: store === true && isRecord(metadata) ? JSON.stringify(metadata) : null,
      follows: follows ?? null,
      said: said.length,
      chat: chat ?? null,
      messageId: messageId ?? null,
      slots: [...writing],
      promptChars: JSON.stringify(request.messages).length,
      reservation,
    },
    said,
    request: asked,
  };
  const starting = stub.start(call);
  const socket = openViewer(c, id, "start", {
    [STARTING_HEADER]: attempt,
    ...slotsHeader(connection),
  });
  // Once there is a socket, its object gives them back; those of the answer it has in any case.
  socket.catch(() => {
    releaseSlots(c, connection);
  });
  try {
    const { isNew, description } = unwrap(await starting);
    // The answer that is there has its own.
    if (!isNew) settleTokens(c, reservation, 0);
    keepSpare(c, () => newName(c));
    return { id, stub, description, socket };
  } catch (error) {
    // Of a call that broke off nobody knows what came of it: what is held runs out by itself.
    if (error instanceof SluiceError) settleTokens(c, reservation, 0);
    socket.then(refuse, () => {});
    throw error;
  }
}

/** The answer that the same request has started before; only one that names itself can have. */
async function findSame(
  c: AppContext,
  stub: GenerationStub,
  same: Parameters<GenerationStub["find"]>[0],
): Promise<Description | undefined> {
  return idempotencyKey(c) === undefined ? undefined : unwrap(await stub.find(same));
}

function refuse(socket: WebSocket): void {
  socket.accept();
  socket.close(CLOSE.left.code, "");
}

/** A name for an answer. */
interface Named {
  readonly id: string;
  /** The name is not used after all: what waited under it may be the next one's. */
  readonly putBack: () => void;
}

/** The same key of the same owner is the same generation, wherever the requests meet. */
async function nameGeneration(c: AppContext, owner: string): Promise<Named> {
  const key = idempotencyKey(c);
  if (key !== undefined) {
    const id = `gen_${(await digest(JSON.stringify([owner, key]))).slice(0, 32)}`;
    return { id, putBack: () => {} };
  }
  const { spare } = c.var;
  const waiting = spare.take();
  if (waiting === undefined) return { id: newName(c), putBack: () => {} };
  return {
    id: waiting,
    putBack: () => {
      spare.putBack(waiting);
    },
  };
}

function newName(c: AppContext): string {
  return `gen_${c.var.deps.newId().replaceAll("-", "")}`;
}

async function digest(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function readStreamOptions(request: ChatRequest): Readonly<Record<string, unknown>> {
  const { stream_options: options } = request;
  return isRecord(options) ? options : {};
}
