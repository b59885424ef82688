/**
 * Owns how an object takes the platform's sockets so that it can sleep while they stay open. Refuses
 * to know what is said over them.
 */
import { CLOSE } from "../../src/protocol/close-codes.ts";
import { describeError, toSluiceError } from "../../src/protocol/errors.ts";
import { PING, PONG, SUBPROTOCOL } from "../../src/protocol/frames.ts";
import { decodePermit, type Permit } from "../../src/protocol/permit.ts";
import { decodeStart, type ReaderStart } from "../../src/protocol/reader-start.ts";
import type { Audience } from "../delivery/audience.ts";
import type { Door } from "../delivery/connection.ts";
import type { SocketLike } from "../delivery/socket.ts";
import { DOOR_HEADER, PERMIT_HEADER, PROBE_HEADER, START_HEADER } from "./headers.ts";
import type { Revocations } from "./revocations.ts";
import { tagsOf } from "./slots.ts";

/** Has heartbeats answered by the runtime: they neither wake the object nor keep it awake (W2). */
export function answerHeartbeats(ctx: DurableObjectState): void {
  ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
}

/** When the runtime last answered a heartbeat, in milliseconds since 1970. */
export function lastBeatOf(ctx: DurableObjectState): (socket: SocketLike) => number | undefined {
  return (socket) => ctx.getWebSocketAutoResponseTimestamp(socket as WebSocket)?.getTime();
}

/**
 * The answer to who comes with a token that counts here no longer; undefined for everybody else. Asked
 * before anything else: the object's state, and whether there is any, is not for them.
 */
export function refuseRevoked(request: Request, revocations: Revocations): Response | undefined {
  try {
    revocations.check(permitOf(request));
    return undefined;
  } catch (thrown) {
    return refuse(thrown);
  }
}

/**
 * Accepts a socket of the Worker, which has checked the caller and set the headers, or refuses it. Who
 * only asks is let in as far as that.
 */
export function acceptSocket(
  ctx: DurableObjectState,
  audience: Audience,
  request: Request,
): Response {
  const refusal = refuseFull(audience);
  if (refusal !== undefined) return refusal;
  if (request.headers.has(PROBE_HEADER)) return new Response(null);
  return acceptAdmitted(ctx, audience, request);
}

/** The answer to who comes when nobody else is let in now; undefined for who may come in, which counts. */
export function refuseFull(audience: Audience): Response | undefined {
  try {
    audience.admit();
    return undefined;
  } catch (thrown) {
    return refuse(thrown);
  }
}

/** Accepts a socket of who may come in. */
export function acceptAdmitted(
  ctx: DurableObjectState,
  audience: Audience,
  request: Request,
): Response {
  const start = startOf(request);
  const { socket, response } = openPair(ctx, request);
  audience.connect(socket, { door: doorOf(request), permit: permitOf(request) }, start);
  return response;
}

/** A socket that was accepted before there was an audience. */
interface EarlySocket {
  readonly response: Response;
  readonly socket: WebSocket;
  /** Makes it one of the audience's connections; false when it is gone already, or there is no room. */
  readonly join: (audience: Audience) => boolean;
}

/** The same as {@link acceptSocket} for a reader who is here before what it is to read. */
export function acceptEarly(ctx: DurableObjectState, request: Request): EarlySocket {
  const facts = { door: doorOf(request), permit: permitOf(request) };
  const start = startOf(request);
  const { socket, response } = openPair(ctx, request);
  const join = (audience: Audience): boolean => {
    if (socket.readyState !== WebSocket.OPEN) return false;
    try {
      audience.admit();
    } catch {
      socket.close(CLOSE.overloaded.code, CLOSE.overloaded.meaning);
      return false;
    }
    audience.connect(socket, facts, start);
    return true;
  };
  return { response, socket, join };
}

function openPair(
  ctx: DurableObjectState,
  request: Request,
): { readonly socket: WebSocket; readonly response: Response } {
  const { 0: client, 1: socket } = new WebSocketPair();
  ctx.acceptWebSocket(socket, tagsOf(request));
  const headers = { "sec-websocket-protocol": SUBPROTOCOL };
  return { socket, response: new Response(null, { status: 101, webSocket: client, headers }) };
}

function doorOf({ headers }: Request): Door {
  return headers.get(DOOR_HEADER) === "viewer" ? "viewer" : "member";
}

/** Where a reader wants to begin, when the Worker has said so. */
export function startOf({ headers }: Request): ReaderStart | undefined {
  const start = headers.get(START_HEADER);
  return start === null ? undefined : decodeStart(start);
}

/** The runtime does not answer a close for sockets that can sleep; of its own codes it sends 1000 only. */
export function answerClose(socket: WebSocket, code: number): void {
  socket.close(code >= 3000 ? code : CLOSE.left.code, "");
}

/** What the Worker has said of the caller. */
export function permitOf({ headers }: Request): Permit {
  const permit = decodePermit(headers.get(PERMIT_HEADER) ?? "");
  if (permit === undefined) throw new Error("the Worker said nothing of the caller");
  return permit;
}

/** An answer that says why nobody is let in, for the Worker. */
export function refuse(thrown: unknown): Response {
  const { code, retryAfter = 0 } = toSluiceError(thrown);
  return Response.json({ code, retryAfter }, { status: describeError(code).status });
}
