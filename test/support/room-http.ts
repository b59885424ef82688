/** Owns the HTTP doors of a room in tests that run inside workerd. Refuses to judge the answers. */
import { exports } from "cloudflare:workers";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { until } from "./until.ts";

/** Calls a door of a room; `path` begins with the room's name. */
export async function call(path: string, init: RequestInit = {}): Promise<Response> {
  return await exports.default.fetch(`http://localhost/v1/rooms/${path}`, init);
}

/** The JSON of a door's answer. */
export async function read(path: string): Promise<Record<string, unknown>> {
  return await (await call(path)).json();
}

/** One of a room's figures. */
export async function stat(room: string, name: string): Promise<number> {
  return Number((await read(`${room}/stats`))[name]);
}

/** Publishes as a backend does and returns the positions. */
export async function post(
  room: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<readonly string[]> {
  const response = await call(`${room}/messages`, {
    method: "POST",
    body: JSON.stringify(body),
    headers,
  });
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  const { positions } = await response.json<{ positions: string[] }>();
  return positions;
}

/** Publishes `count` messages, numbered from `from` on, each in a row of its own. */
export async function postMany(room: string, count: number, from = 1): Promise<void> {
  for (let n = from; n < from + count; n += 1) await post(room, { event: "tick", payload: n });
}

/** A reader of a room's event stream. */
export class RoomViewer {
  readonly response: Response;
  readonly events: EventSourceMessage[] = [];
  readonly comments: string[] = [];
  retry: number | undefined;
  isEnded = false;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(response: Response) {
    if (response.body === null) throw new Error("the stream has no body");
    this.response = response;
    this.#reader = response.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    // Reading fails when this side cancels.
    this.#read().catch(() => {});
  }

  /** Opens the stream and waits until it begins. */
  static async open(path: string, headers: Record<string, string> = {}): Promise<RoomViewer> {
    const response = await call(path, { headers });
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    const viewer = new RoomViewer(response);
    await until("the stream is open", () => viewer.comments.length > 0);
    return viewer;
  }

  /** The data of all messages, decoded. */
  get data(): readonly Record<string, unknown>[] {
    return this.events.map(({ data }) => JSON.parse(data) as Record<string, unknown>);
  }

  get payloads(): readonly unknown[] {
    return this.data.map((message) => message["payload"]);
  }

  async close(): Promise<void> {
    await this.#reader.cancel();
  }

  async #read(): Promise<void> {
    const parser = createParser({
      onEvent: (event) => this.events.push(event),
      onComment: (comment) => this.comments.push(comment),
      onRetry: (ms) => {
        this.retry = ms;
      },
    });
    const decoder = new TextDecoder();
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) break;
        parser.feed(decoder.decode(value, { stream: true }));
      }
    } finally {
      this.isEnded = true;
    }
  }
}
