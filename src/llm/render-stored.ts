/**
 * Owns a stored answer as an event stream that can be cut after any event and read on from there,
 * byte for byte (L4): each event has an id, and the id says where it stands. Refuses to know formats.
 *
 * A chunk is one position. Where a format makes several events of a chunk, all but the last have a
 * number after the position, so that whoever has some of them gets the others.
 */
import { toSluiceError, type SluiceError } from "../protocol/errors.ts";
import type { Position } from "../protocol/frames.ts";
import { formatPosition, parsePosition } from "../protocol/position.ts";
import { operate } from "../stream/closing.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { errorOf } from "./ending.ts";
import type { StoredItem } from "./stored-answer.ts";

/** A place in the event stream: after an event of a chunk. */
export interface EventPosition extends Position {
  /** Events of the chunk after `seq` that the reader has. */
  readonly part: number;
}

const PART = /^(.+)\.([1-9][0-9]{0,5})$/;

/** The place that an event's id means; undefined when no server wrote it. */
export function parseEventId(text: string): EventPosition | undefined {
  const match = PART.exec(text);
  const position = parsePosition(match?.[1] ?? text);
  if (position === undefined) return undefined;
  if (match === null) return { ...position, part: 0 };
  if (position.seq === 0) return undefined;
  // Some events of the chunk are there, so reading begins with it.
  return { ...position, seq: position.seq - 1, part: Number(match[2]) };
}

interface RenderOptions {
  readonly dialect: Dialect;
  /** Where the reader is. */
  readonly from: EventPosition;
  /** Whether events get an id. */
  readonly withIds: boolean;
  readonly signal: AbortSignal;
  /** Told of a failure of the reading itself; an answer that failed is no failure here. */
  readonly report: (error: SluiceError) => void;
}

/** Renders what follows after `from`. After the signal has aborted there is nobody to render for. */
export function renderStoredAnswer(
  items: AsyncIterable<StoredItem>,
  { dialect, from, withIds, signal, report }: RenderOptions,
): AsyncIterableIterator<Uint8Array> {
  const encoder = new TextEncoder();
  let known = from.part;
  const identify = (text: string, seq: number): string => {
    if (text === "" || !withIds) return text;
    const id = formatPosition({ epoch: from.epoch, seq });
    const events = text.slice(0, -EVENT_END.length).split(EVENT_END);
    const skip = known;
    known = 0;
    return events
      .map((event, index) => {
        const place = index === events.length - 1 ? id : `${id}.${index + 1}`;
        return `id: ${place}\n${event}${EVENT_END}`;
      })
      .slice(skip)
      .join("");
  };
  return operate(items, async function* (source) {
    await using iterator = source;
    try {
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        const item = next.value;
        let text = "";
        if (item.kind === "chunks") {
          for (const chunk of item.chunks) text += identify(dialect.chunk(chunk), chunk.seq);
        } else {
          const error = errorOf(item.outcome, item.ending);
          text = identify(error === undefined ? dialect.end() : dialect.error(error), item.seq);
        }
        if (text !== "") yield encoder.encode(text);
      }
    } catch (thrown) {
      if (signal.aborted) return;
      const error = toSluiceError(thrown);
      report(error);
      // Without an id: the reader goes on after the last event that it has.
      yield encoder.encode(dialect.error(error));
    }
  });
}

/** The blank line at the end of an event; an encoded event has none within. */
const EVENT_END = "\n\n";
