/**
 * Owns the leader's connections: one for each set of topics and each membership of a room, whoever asks.
 * Refuses to know where the tabs are.
 */
import type { Context } from "../context.ts";
import { socketRoom } from "../room/socket-transport.ts";
import type { RoomCommand, RoomEvent, RoomResume } from "../room/transport.ts";
import { fetchTopics } from "../topic/fetch-transport.ts";
import type { TopicEvent, TopicResume, TopicTaken } from "../topic/transport.ts";
import type { Link, LinkObserver, Transport } from "../transport.ts";
import type { AnyCommand, AnyEvent, Target } from "./messages.ts";
import { RoomLine } from "./room-line.ts";
import { type Line, type OpenUpstream, withFailed } from "./seat.ts";
import { TopicLine } from "./topic-line.ts";

/** Milliseconds for which the newest events of a connection that nobody reads are kept: a reload's time. */
const IDLE_MS = 60_000;

export class Hub {
  readonly #context: Context;
  readonly #topics = new Map<string, TopicLine>();
  readonly #rooms = new Set<{ readonly room: string; readonly line: RoomLine }>();
  readonly #timers = new Set<() => void>();
  #links = 0;
  /** A token that the server would not have. */
  #refused: string | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Whether nobody has a connection by it. */
  get isIdle(): boolean {
    return this.#links === 0;
  }

  /** A seat at the connection to a target. */
  open(target: Target, observer: LinkObserver<AnyEvent>): Link<AnyCommand> {
    this.#links += 1;
    let isOver = false;
    const finish = (): void => {
      if (!isOver) this.#links -= 1;
      isOver = true;
    };
    const watched = withFailed(observer, (failure) => {
      finish();
      observer.failed(failure);
    });
    const link =
      target.surface === "topic"
        ? this.#topicLine(target.topics).open(target.resume, watched)
        : this.#roomLine(target.room, target.resume.member).open(target.resume, watched);
    return {
      // What is sent at a seat is of its surface: the tab's own code has made both.
      send: (command) => {
        (link as Link<AnyCommand>).send(command);
      },
      probe: () => {
        link.probe();
      },
      close: () => {
        finish();
        link.close();
      },
    };
  }

  close(): void {
    for (const line of this.#topics.values()) line.close();
    for (const { line } of this.#rooms) line.close();
    for (const callOff of this.#timers) callOff();
    this.#topics.clear();
    this.#rooms.clear();
    this.#timers.clear();
  }

  #topicLine(topics: readonly string[]): TopicLine {
    const key = JSON.stringify(topics);
    const known = this.#topics.get(key);
    if (known !== undefined) return known;
    const open = this.#upstream<TopicResume, TopicEvent, TopicTaken>(
      fetchTopics(this.#context, topics),
    );
    const line = new TopicLine(open);
    this.#topics.set(key, line);
    this.#expire(line, () => this.#topics.delete(key));
    return line;
  }

  #roomLine(room: string, member: string | undefined): RoomLine {
    for (const one of this.#rooms) {
      if (one.room !== room) continue;
      const { line } = one;
      if (member === undefined || line.member === undefined || line.member === member) return line;
    }
    const open = this.#upstream<RoomResume, RoomEvent, RoomCommand>(
      socketRoom(this.#context, room),
    );
    const made = { room, line: new RoomLine(open, member) };
    this.#rooms.add(made);
    this.#expire(made.line, () => this.#rooms.delete(made));
    return made.line;
  }

  /** Forgets a line after nobody was there twice in a row. */
  #expire(line: Line<never, never, never>, forget: () => void, wasEmpty = false): void {
    const callOff = this.#context.clock.after(IDLE_MS, () => {
      this.#timers.delete(callOff);
      if (line.isEmpty && wasEmpty) forget();
      else this.#expire(line, forget, line.isEmpty);
    });
    this.#timers.add(callOff);
  }

  /** Connections of this tab, with its token. */
  #upstream<Resume, Event, Command>(
    transport: Transport<Resume, Event, Command>,
  ): OpenUpstream<Resume, Event, Command> {
    return (resume, observer) => {
      let shown: string | undefined;
      const token = async (): Promise<string | undefined> => {
        shown = await this.#context.tokens.get(this.#refused);
        return shown;
      };
      const watched = withFailed(observer, (failure) => {
        if (failure.reconnect === "refresh") this.#refused = shown;
        observer.failed(failure);
      });
      return transport.open({ resume, token }, watched);
    };
  }
}
