/** A topic in memory, which can be put to sleep and wakes as the platform would wake it. */
import type { LeaveSource } from "../../durable-objects/topic/farewells.ts";
import type { Append, AppendResult } from "../../durable-objects/topic/appending.ts";
import { parseTopicSettings } from "../../durable-objects/topic/settings.ts";
import { Topic } from "../../durable-objects/topic/topic.ts";
import type { HelloFrame, Position } from "../../src/protocol/frames.ts";
import { encodeValue } from "../../src/protocol/value.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeReader } from "./fake-reader.ts";
import { MemorySql } from "./memory-sql.ts";
import { OPEN_PERMIT } from "../../src/protocol/permit.ts";

export class TopicCore {
  readonly sql = new MemorySql();
  readonly clock: FakeClock;
  readonly readers: FakeReader[] = [];
  topic: Topic;
  readonly #leaveSource: LeaveSource;
  #chance = 0;

  constructor({
    clock = new FakeClock(),
    leaveSource = async () => await Promise.resolve(),
  }: { readonly clock?: FakeClock; readonly leaveSource?: LeaveSource } = {}) {
    this.clock = clock;
    this.#leaveSource = leaveSource;
    this.topic = this.#wake();
  }

  /** Everything in memory is lost; sockets and storage are not. */
  sleep(): void {
    this.topic = this.#wake();
  }

  create(settings: unknown = {}, start?: Position): ReturnType<Topic["create"]> {
    return this.topic.create(parseTopicSettings(settings), start);
  }

  /** Appends JSON events; makes the topic when there is none. */
  async append(data: readonly unknown[], rest: Partial<Append> = {}): Promise<AppendResult> {
    const appended = this.topic.append({
      events: data.map((value) => ({
        event: "message",
        payload: encodeValue(JSON.stringify(value)),
        id: "",
        sender: "",
      })),
      contentType: "application/json",
      create: true,
      ...rest,
    });
    await this.clock.advance(10);
    return await appended;
  }

  /** A reader that has greeted. */
  read(hello: Partial<HelloFrame> = {}): FakeReader {
    const reader = new FakeReader();
    this.readers.push(reader);
    this.topic.audience.connect(reader, { door: "viewer", permit: OPEN_PERMIT });
    this.topic.audience.receive(reader, FakeReader.hello(hello));
    return reader;
  }

  ack(reader: FakeReader, seq: number): void {
    this.topic.audience.receive(reader, FakeReader.ack(seq));
  }

  leave(reader: FakeReader): void {
    reader.close(1000);
    this.topic.audience.disconnect(reader);
  }

  #wake(): Topic {
    return new Topic({
      sql: this.sql,
      clock: this.clock,
      random: () => {
        this.#chance = (this.#chance + 0.37) % 1;
        return this.#chance;
      },
      newId: () => crypto.randomUUID(),
      sockets: this.readers.filter(({ closed }) => closed === undefined),
      lastBeat: () => this.clock.now(),
      report: ({ cause }) => {
        throw cause;
      },
      leaveSource: this.#leaveSource,
    });
  }
}
