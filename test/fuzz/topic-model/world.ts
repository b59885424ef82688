/**
 * Owns a few topics that are written to, ended, forked, deleted and put to sleep at random, while
 * telling sources fails at random, and compares them with the model. Refuses to know HTTP.
 */
import { expect } from "vitest";
import { parseTopicSettings, type TopicSettings } from "../../../durable-objects/topic/settings.ts";
import type { ProducerStamp } from "../../../durable-objects/topic/producers.ts";
import { readEntries } from "../../../src/protocol/entries.ts";
import { decodeValue, encodeValue } from "../../../src/protocol/value.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import type { SeededRandom } from "../../support/seeded-random.ts";
import { TopicCore } from "../../support/topic-core.ts";
import { Model } from "./model.ts";

const NAMES = ["a", "b", "c", "d", "e"] as const;
const PRODUCERS = ["p", "q"] as const;
const PAGE = { maxBytes: 1_000_000, maxEntries: 10_000 };
const HOUR_MS = 3_600_000;
/** Within it every source has been told, however often that failed. */
const LONG_MS = 60 * 24 * HOUR_MS;

export class World {
  readonly #random: SeededRandom;
  readonly #clock = new FakeClock();
  readonly #cores = new Map<string, TopicCore>();
  readonly #model = new Model();
  #written = 0;
  #isCutOff = false;

  constructor(random: SeededRandom) {
    this.#random = random;
    for (const name of NAMES) {
      const leaveSource = async ({ topic, as }: { topic: string; as: string }): Promise<void> => {
        await Promise.resolve();
        if (this.#isCutOff || this.#random.chance(0.3)) throw new Error("the source is away");
        this.#core(topic).topic.removeFork(as);
      };
      this.#cores.set(name, new TopicCore({ clock: this.#clock, leaveSource }));
    }
  }

  /** Events that were stored. */
  get written(): number {
    return this.#written;
  }

  /** One thing happens, and everything is as it should be. */
  async step(): Promise<void> {
    const random = this.#random;
    const name = random.pick(NAMES);
    const dice = random.next();
    if (dice < 0.6) await this.#append(name);
    else if (dice < 0.7) await this.#open(name);
    else if (dice < 0.8) await this.#fork(name, random.pick(NAMES));
    else if (dice < 0.86) this.#delete(name);
    else if (dice < 0.95) this.#core(name).sleep();
    else await this.#pass(random.between(1, HOUR_MS));
    await this.#clock.advance(10);
    this.#compare();
  }

  /** Sources that could not be told are told in the end, and nothing is left of what is not needed. */
  async settle(): Promise<void> {
    this.#isCutOff = this.#random.chance(0.5);
    await this.#pass(HOUR_MS);
    this.#isCutOff = false;
    for (const name of NAMES) if (this.#random.chance(0.3)) this.#core(name).sleep();
    await this.#pass(LONG_MS);
    this.#compare();
    for (const name of NAMES) {
      const { topic } = this.#core(name);
      expect([name, topic.isGone()]).toEqual([name, this.#model.isGone(name)]);
      expect([name, topic.nextSweepAt()]).toEqual([name, this.#model.topics.get(name)?.expiresAt]);
    }
  }

  async #append(name: string): Promise<void> {
    const random = this.#random;
    const data = Array.from({ length: random.between(0, 3) }, () => this.#text());
    const producer = random.chance(0.7) ? this.#stamp(name) : undefined;
    const close = random.chance(0.05) ? ({ outcome: "completed", data: "" } as const) : undefined;
    if (data.length === 0 && close === undefined) return;
    const { topic } = this.#core(name);
    const tail = topic.describe()?.tail ?? 0;
    const answer = topic.append({
      events: toEvents(data),
      contentType: "text/plain",
      producer,
      close,
    });
    await this.#clock.advance(10);
    const result = await answer;
    const expected = this.#model.append(name, data, { producer, close });
    expect([name, data, producer, result.kind]).toEqual([name, data, producer, expected]);
    if (result.kind !== "appended" || data.length === 0) return;
    this.#written += data.length;
    expect(result.seqs).toEqual(data.map((_, nth) => tail + 1 + nth));
  }

  async #open(name: string): Promise<void> {
    const expiresAt = this.#random.chance(0.2)
      ? this.#clock.now() + this.#random.between(1, 2 * HOUR_MS)
      : undefined;
    const data = Array.from({ length: this.#random.between(0, 2) }, () => this.#text());
    await this.#make(name, { settings: settingsOf(expiresAt), data });
  }

  /** As the door does it: read, make, register. */
  async #fork(of: string, name: string): Promise<void> {
    const source = this.#core(of).topic.describe();
    const shared = this.#model.topics.get(of)?.data;
    expect(source === undefined).toBe(shared === undefined);
    if (source === undefined || shared === undefined || of === name) return;
    const seq = this.#random.between(0, shared.length);
    const { epoch } = source;
    const forkedFrom = { topic: of, epoch, seq, beyond: 0, as: name };
    const settings = { ...source.settings, forkedFrom };
    const start = { epoch, seq: source.head - 1 };
    await this.#make(name, { settings, data: shared.slice(0, seq), start, source: of });
  }

  async #make(
    name: string,
    wish: {
      readonly settings: TopicSettings;
      readonly data: readonly string[];
      readonly start?: { readonly epoch: string; readonly seq: number };
      readonly source?: string;
    },
  ): Promise<void> {
    const { settings, data, start, source } = wish;
    const { topic } = this.#core(name);
    const events = toEvents(data);
    const { result } = await topic.open(settings, { events, contentType: "text/plain" }, start);
    if (this.#model.topics.has(name)) {
      expect(["same", "different"]).toContain(result);
      return;
    }
    // A source that has not been told yet keeps its name longer than it has to, never shorter.
    if (result === "gone") return;
    expect([name, result, this.#model.isGone(name)]).toEqual([name, "created", false]);
    if (source !== undefined) this.#core(source).topic.addFork(name);
    const { expiresAt } = settings;
    this.#model.create(name, {
      data: [...data],
      ...(source === undefined ? {} : { source }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    });
  }

  #delete(name: string): void {
    expect(this.#core(name).topic.delete()).toBe(this.#model.delete(name));
  }

  /** Time passes; alarms ring when they are due. */
  async #pass(ms: number): Promise<void> {
    const end = this.#clock.now() + ms;
    for (;;) {
      const due = [...this.#cores.values()]
        .map((core) => ({ core, at: core.topic.nextSweepAt() ?? Number.POSITIVE_INFINITY }))
        .toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined || due.at > end) break;
      await this.#clock.advance(Math.max(1, due.at - this.#clock.now()));
      this.#model.expire(this.#clock.now());
      due.core.topic.sweep();
      await this.#clock.advance(0);
    }
    await this.#clock.advance(Math.max(0, end - this.#clock.now()));
    this.#model.expire(this.#clock.now());
  }

  #compare(): void {
    this.#model.expire(this.#clock.now());
    for (const name of NAMES) {
      const { topic } = this.#core(name);
      const model = this.#model.topics.get(name);
      const { page, isClosed, contentType } = topic.read("start", PAGE);
      expect([name, contentType]).toEqual([name, model === undefined ? undefined : "text/plain"]);
      if (page.kind === "gap") throw new Error(`${name} has lost something`);
      const data = [...readEntries(page.entries)].map(({ payload }) => decodeValue(payload));
      expect([name, data, isClosed]).toEqual([name, model?.data ?? [], model?.ended !== undefined]);
      if (this.#model.isGone(name)) expect([name, topic.isGone()]).toEqual([name, true]);
    }
  }

  /** Near what the producer did last: sometimes the next, sometimes a repetition, sometimes wrong. */
  #stamp(name: string): ProducerStamp {
    const random = this.#random;
    const id = random.pick(PRODUCERS);
    const known = this.#model.topics.get(name)?.producers.get(id);
    if (known === undefined)
      return { id, epoch: random.between(0, 1), seq: random.chance(0.9) ? 0 : 1 };
    if (random.chance(0.6)) return { id, epoch: known.epoch, seq: known.seq + 1 };
    const epoch = Math.max(0, known.epoch + random.between(-1, 1));
    return {
      id,
      epoch,
      seq: Math.max(0, random.between(-1, 2) + (random.chance(0.5) ? 0 : known.seq)),
    };
  }

  #text(): string {
    return `${this.#random.between(0, 999_999)}`;
  }

  #core(name: string): TopicCore {
    const core = this.#cores.get(name);
    if (core === undefined) throw new Error(`there is no ${name}`);
    return core;
  }
}

function settingsOf(expiresAt: number | undefined): TopicSettings {
  const retention = { messages: null, bytes: null, ageMs: null };
  const life = expiresAt === undefined ? {} : { expiresAt };
  return parseTopicSettings({ contentType: "text/plain", retention, ...life });
}

function toEvents(data: readonly string[]) {
  return data.map((text) => ({ event: "message", payload: encodeValue(text), id: "", sender: "" }));
}
