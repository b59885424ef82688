/**
 * Owns the demo provider's network: what a `fetch` to it answers. Everything before and after it is
 * the same as with a real provider, so the whole path runs without a key.
 * Refuses to know what it says (the scenarios) and how that looks (the wire).
 */
import { openScope } from "../../stream/abort.ts";
import type { Clock } from "../../stream/clock.ts";
import type { Fetch } from "../upstream.ts";
import { toByteStream } from "./byte-stream.ts";
import { readDemoRequest } from "./demo-request.ts";
import { goOn } from "./go-on.ts";
import { type Beat, play } from "./play.ts";
import { chooseScenario } from "./scenarios.ts";
import type { Piece } from "./script.ts";
import {
  type Envelope,
  describeCompletion,
  describeFailure,
  encodeFailure,
  encodeFinish,
  encodePiece,
  encodeRole,
  openEnvelope,
} from "./wire.ts";

/**
 * A `fetch` behind which the demo provider lives: `POST …/chat/completions` in, OpenAI's bytes out.
 * Equal requests get equal answers. Aborting `init.signal` ends the answer at once, as on a socket.
 */
export function createDemoFetch(clock: Clock): Fetch {
  return async (_address, init) => {
    const body = await new Response(init?.body ?? null).text();
    const request = readDemoRequest(body);
    if (request === undefined) return Response.json(describeFailure(), { status: 400 });
    const scenario = chooseScenario(request.model);
    if (scenario === "refuse") return Response.json(describeFailure(), { status: 503 });

    const scope = openScope(init?.signal ?? new AbortController().signal);
    scope.signal.throwIfAborted();
    const { signal } = scope;
    const envelope = openEnvelope(request, body, clock.now());
    const beats = play(goOn(scenario(request), request.said), {
      clock,
      signal,
      maxTokens: request.maxTokens,
    });
    if (request.stream) {
      return new Response(toByteStream(writeEvents(beats, envelope), scope), {
        headers: { "content-type": "text/event-stream; charset=utf-8" },
      });
    }
    using _scope = scope;
    return await writeWhole(beats, envelope);
  };
}

async function* writeEvents(
  beats: AsyncIterable<Beat>,
  envelope: Envelope,
): AsyncGenerator<string, void, undefined> {
  const pieces: Piece[] = [];
  for await (const beat of beats) {
    if ("piece" in beat) {
      // The role comes with the first token, in one read, as it does from busy providers.
      const opening = pieces.length === 0 ? encodeRole(envelope) : "";
      pieces.push(beat.piece);
      yield opening + encodePiece(envelope, beat.piece);
    } else if (beat.ending === "error") {
      yield encodeFailure();
    } else if (beat.ending !== "cut") {
      yield encodeFinish(envelope, { pieces, reason: beat.ending });
    }
  }
}

/** Without streaming, failing in the middle is failing, and a cut answer is half a JSON text. */
async function writeWhole(beats: AsyncIterable<Beat>, envelope: Envelope): Promise<Response> {
  const pieces: Piece[] = [];
  for await (const beat of beats) {
    if ("piece" in beat) {
      pieces.push(beat.piece);
    } else if (beat.ending === "error") {
      break;
    } else {
      const cut = beat.ending === "cut";
      const reason = beat.ending === "cut" ? "stop" : beat.ending;
      const json = JSON.stringify(describeCompletion(envelope, { pieces, reason }));
      return new Response(cut ? json.slice(0, json.length / 2) : json, {
        headers: { "content-type": "application/json" },
      });
    }
  }
  return Response.json(describeFailure(), { status: 500 });
}
