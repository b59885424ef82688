/**
 * Owns how a topic treats those who read it: limits of every topic, and the policy of this one, which
 * may become known after the first reader has come. Refuses to know readers.
 */
import type { Credit } from "../../src/protocol/frames.ts";
import { LATEST_CREDIT_BYTES, LATEST_CREDIT_MESSAGES } from "../../src/protocol/limits.ts";
import type { AudienceSettings } from "../delivery/audience.ts";
import type { LaggardPolicy } from "../delivery/fan-out.ts";
import type { TopicLaggards } from "./settings.ts";

/** Milliseconds a reader may take nothing although something waits for it. */
const PATIENCE_MS = 60_000;

/** A topic of ten thousand readers is back within twenty seconds of a deploy. */
const JOINS_PER_SECOND = 500;
const JOIN_BURST = 2_000;

/** Below the platform's 32,768 sockets an object. */
const MAX_READERS = 20_000;

const LATEST_CREDIT: Credit = { messages: LATEST_CREDIT_MESSAGES, bytes: LATEST_CREDIT_BYTES };

export class TopicAudienceSettings implements AudienceSettings {
  readonly patienceMs = PATIENCE_MS;
  readonly joinRate = { perSecond: JOINS_PER_SECOND, burst: JOIN_BURST };
  readonly maxConnections = MAX_READERS;
  readonly #policy: () => TopicLaggards | undefined;

  constructor(policy: () => TopicLaggards | undefined) {
    this.#policy = policy;
  }

  /** Where only the newest counts, readers lag as others do; they are given other pages. */
  get laggards(): LaggardPolicy {
    return this.#policy() === "disconnect" ? "disconnect" : "replay";
  }

  get credit(): Credit | undefined {
    return typeof this.#policy() === "object" ? LATEST_CREDIT : undefined;
  }
}
