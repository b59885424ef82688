/**
 * Owns one topic's frames as events: which position each has, what its data is. Refuses to know how
 * many topics share a stream.
 */
import { formatOf } from "../protocol/content-type.ts";
import type { Entry, Position } from "../protocol/frames.ts";
import { describeGap } from "../protocol/gap.ts";
import { toBase64 } from "../protocol/json.ts";
import type { GatewayFrame } from "./gateway.ts";

/** An event of a topic. */
export interface TopicEvent {
  /** After it, a reader has everything up to here. */
  readonly position: Position;
  /** Undefined for the usual one, which browsers call `message`. */
  readonly event: string | undefined;
  /** Text, or base64 of bytes. */
  readonly data: string;
  /** Whether `data` is JSON. */
  readonly isJson: boolean;
}

/** The name of an event that has none. */
export const DEFAULT_EVENT = "message";

/** Turns the frames of one connection to a topic into events, in order. */
export class TopicReader {
  #epoch = "";
  #last = 0;
  #isJson = true;

  /** Whether the topic has ended and said so. */
  isOver = false;

  /** The events of a frame; a welcome has none. */
  read(frame: GatewayFrame): readonly TopicEvent[] {
    switch (frame.kind) {
      case "welcome":
        this.#epoch = frame.epoch;
        this.#last = frame.head;
        this.#isJson = formatOf(frame.contentType ?? "application/json") === "json";
        return [];
      case "deliver":
        return frame.entries.map((entry, index) => this.#describe(entry, frame.first + index));
      case "latest":
        return frame.entries.map((entry, index) => this.#describe(entry, frame.seqs[index] ?? 0));
      case "gap": {
        this.#last = Math.max(this.#last, frame.to);
        return [this.#own("gap", describeGap(this.#epoch, frame), frame.to)];
      }
      case "end": {
        this.isOver = true;
        const outcome = JSON.stringify(frame.outcome);
        const data = frame.data === "" ? "" : `,"data":${frame.data}`;
        // One beyond the last event, so that who has missed only this is told when it comes back.
        return [this.#own("end", `{"outcome":${outcome}${data}}`, this.#last + 1)];
      }
    }
  }

  #describe({ event, payload }: Entry, seq: number): TopicEvent {
    this.#last = Math.max(this.#last, seq);
    return {
      position: this.#at(seq),
      event: event === DEFAULT_EVENT ? undefined : event,
      data: payload instanceof Uint8Array ? toBase64(payload) : String(payload),
      isJson: this.#isJson,
    };
  }

  #own(event: string, data: string, seq: number): TopicEvent {
    return { position: this.#at(seq), event, data, isJson: true };
  }

  #at(seq: number): Position {
    return { epoch: this.#epoch, seq };
  }
}
