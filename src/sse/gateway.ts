/**
 * Owns reading an object's frames from a Worker: the Worker holds the HTTP response and the object
 * sleeps between frames (I1). Credit is granted as the reader pulls, so an HTTP client that does not
 * read costs the object a cursor and the Worker one window (I5). Refuses to know what frames say.
 */
import { CLOSE } from "../protocol/close-codes.ts";
import { encodeClientFrame } from "../protocol/encode-client-frame.ts";
import { type ErrorCode, SluiceError } from "../protocol/errors.ts";
import {
  type Credit,
  type DeliverFrame,
  type EndFrame,
  type GapFrame,
  type LatestFrame,
  PING,
  type Position,
  type ServerFrame,
  type WelcomeFrame,
} from "../protocol/frames.ts";
import { HEARTBEAT_MS, READER_CREDIT } from "../protocol/limits.ts";
import { isPosition, type ReaderStart } from "../protocol/reader-start.ts";
import { parseServerFrame } from "../protocol/parse-server-frame.ts";
import type { Clock } from "../stream/clock.ts";

/** What a reader gets, in order. */
export type GatewayFrame = WelcomeFrame | DeliverFrame | LatestFrame | GapFrame | EndFrame;

/** The lifecycle of a gateway's socket. */
type State =
  | { readonly kind: "open" }
  | { readonly kind: "ended" }
  | { readonly kind: "failed"; readonly error: SluiceError };

/** What reading needs besides the socket. */
interface ReadOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Seconds since 1970 when the reader's token ends, and with it the reading. */
  readonly expiresAt?: number | undefined;
}

/** Milliseconds that a timer of the platform can wait at most. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Accepts a socket of an object and yields its frames. Ends when the socket closes in peace.
 * Aborting the signal, or returning the iterator, closes the socket.
 *
 * @throws SluiceError when the object closes it for another reason; the client resumes from its last event.
 */
export function readFrames(
  socket: WebSocket,
  options: ReadOptions,
): AsyncGenerator<GatewayFrame, void, undefined> {
  const { clock, signal } = options;
  const queue: { readonly frame: GatewayFrame; readonly bytes: number }[] = [];
  // In a box, because the handlers below change it while the loop looks at it.
  const life: { state: State } = { state: { kind: "open" } };
  let wake = (): void => {};

  const onMessage = (event: MessageEvent): void => {
    if (!(event.data instanceof ArrayBuffer)) return;
    const frame = parseServerFrame(event.data);
    if (frame !== undefined && isForReaders(frame)) {
      queue.push({ frame, bytes: event.data.byteLength });
      wake();
    }
  };
  // What happens first counts: a lost socket may both fail and close.
  const finish = (state: State): void => {
    if (life.state.kind === "open") life.state = state;
    stopBeating();
    stopWaiting();
    wake();
  };
  const fail = (code: ErrorCode): void => {
    finish({ kind: "failed", error: new SluiceError(code) });
  };
  // What waits is for somebody who may not read it any more.
  const forbid = (code: "token_expired" | "token_revoked"): void => {
    if (life.state.kind === "open") queue.length = 0;
    fail(code);
    socket.close(CLOSE.left.code, "");
  };
  const onClose = ({ code }: CloseEvent): void => {
    if (code === CLOSE.left.code) finish({ kind: "ended" });
    else if (code === CLOSE.tokenInvalid.code) forbid("token_expired");
    else if (code === CLOSE.notAllowed.code) forbid("token_revoked");
    else fail("stream_interrupted");
  };
  const onError = (): void => {
    fail("stream_interrupted");
  };
  // Also when nobody has begun to read, and so nothing would be returned.
  const onAbort = (): void => {
    finish({ kind: "ended" });
    socket.close(CLOSE.left.code, "");
  };

  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", onMessage);
  socket.addEventListener("close", onClose);
  socket.addEventListener("error", onError);
  signal.addEventListener("abort", onAbort, { once: true });
  const stopBeating = beat(socket, clock);
  const stopWaiting = at(options.expiresAt, clock, () => {
    forbid("token_expired");
  });
  socket.accept();
  // That somebody is here: the object is not told of a Worker that is gone before it takes the socket.
  socket.send(encodeClientFrame({ kind: "ack", seq: 0, mail: 0 }));
  if (signal.aborted) onAbort();

  async function* drain(): AsyncGenerator<GatewayFrame, void, undefined> {
    try {
      let window: Credit = READER_CREDIT;
      let messages = 0;
      let bytes = 0;
      for (;;) {
        const next = queue.shift();
        if (next === undefined) {
          if (life.state.kind === "failed") throw life.state.error;
          if (life.state.kind === "ended" || signal.aborted) return;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        const { frame } = next;
        // The reader has taken this frame when it asks for the next one.
        yield frame;
        // The window granted may be smaller than the one asked for.
        if (frame.kind === "welcome") window = frame.credit;
        if (life.state.kind !== "open" || !("entries" in frame)) continue;
        messages += frame.entries.length;
        bytes += next.bytes;
        // Seldom enough that acknowledgements do not keep the object awake. Where only the newest
        // counts, the object waits for each.
        const isDue = messages >= window.messages / 2 || bytes >= window.bytes / 2;
        if (isDue || frame.kind === "latest") {
          messages = 0;
          bytes = 0;
          socket.send(encodeClientFrame({ kind: "ack", seq: lastOf(frame), mail: 0 }));
        }
      }
    } finally {
      stopBeating();
      stopWaiting();
      signal.removeEventListener("abort", onAbort);
      socket.close(CLOSE.left.code, "");
    }
  }
  return drain();
}

/**
 * The position before the first event a reader will get. Told at once, so that a reader whose
 * connection breaks before the first event loses nothing.
 */
export function positionBefore(start: ReaderStart, { epoch, head }: WelcomeFrame): Position {
  if (start === "now") return { epoch, seq: head };
  if (start === "start") return { epoch, seq: 0 };
  return isPosition(start) ? start : { epoch, seq: Math.max(0, head - start.newest) };
}

/** Receipts, presence and direct messages are for members. */
function isForReaders(frame: ServerFrame): frame is GatewayFrame {
  const { kind } = frame;
  return (
    kind === "welcome" ||
    kind === "deliver" ||
    kind === "latest" ||
    kind === "gap" ||
    kind === "end"
  );
}

function lastOf(frame: DeliverFrame | LatestFrame): number {
  if (frame.kind === "latest") return frame.seqs.at(-1) ?? 0;
  return frame.first + frame.entries.length - 1;
}

/** Calls `task` when a time has come, in seconds since 1970; the returned function calls it off. */
function at(seconds: number | undefined, clock: Clock, task: () => void): () => void {
  if (seconds === undefined) return () => {};
  let cancel = (): void => {};
  const arm = (): void => {
    const left = seconds * 1_000 - clock.now();
    cancel =
      left > MAX_TIMER_MS ? clock.after(MAX_TIMER_MS, arm) : clock.after(Math.max(0, left), task);
  };
  arm();
  return () => {
    cancel();
  };
}

/** Shows the object that this side still lives, without waking it. */
function beat(socket: WebSocket, clock: Clock): () => void {
  let cancel = (): void => {};
  const arm = (): void => {
    cancel = clock.after(HEARTBEAT_MS, () => {
      socket.send(PING);
      arm();
    });
  };
  arm();
  return () => {
    cancel();
  };
}
