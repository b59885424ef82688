/** Owns a topic over HTTP in tests that run inside workerd. */
import { env, exports } from "cloudflare:workers";
import type { TopicObject } from "../../durable-objects/topic.ts";
import { EventReader } from "./event-reader.ts";

const ORIGIN = "http://localhost";

/** What publishing answers. */
interface Published {
  readonly topic: string;
  readonly positions: readonly string[];
  readonly position: string;
}

/** Calls the app. */
export async function call(path: string, init: RequestInit = {}): Promise<Response> {
  return await exports.default.fetch(ORIGIN + path, init);
}

/** One topic. */
export class TopicHttp {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  get stub(): DurableObjectStub<TopicObject> {
    return env.TOPICS.getByName(this.name);
  }

  get path(): string {
    return `/v1/topics/${this.name}`;
  }

  async post(
    body: RequestInit["body"],
    headers: Readonly<Record<string, string>> = {},
    query = "",
  ): Promise<Response> {
    return await call(this.path + query, { method: "POST", body: body ?? null, headers });
  }

  /** Publishes what must succeed. */
  async publish(
    events: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Published> {
    const response = await this.post(JSON.stringify(events), headers);
    const text = await response.text();
    if (response.status !== 201) throw new Error(`${response.status} ${text}`);
    return JSON.parse(text) as Published;
  }

  async create(settings?: unknown): Promise<Response> {
    return await call(this.path, {
      method: "PUT",
      ...(settings === undefined ? {} : { body: JSON.stringify(settings) }),
    });
  }

  async close(body?: unknown): Promise<Response> {
    return await call(`${this.path}/close`, {
      method: "POST",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async delete(): Promise<Response> {
    return await call(this.path, { method: "DELETE" });
  }

  /** A JSON page. */
  async page(query = ""): Promise<unknown> {
    return await (await call(this.path + query)).json();
  }

  async stats(): Promise<Readonly<Record<string, number>>> {
    return await this.stub.stats();
  }

  /** Subscribes as a browser would. */
  async events(query = "", lastEventId?: string): Promise<EventReader> {
    return new EventReader(await this.subscribe(query, lastEventId));
  }

  async subscribe(query = "", lastEventId?: string): Promise<Response> {
    return await call(this.path + query, {
      headers: {
        accept: "text/event-stream",
        ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
      },
    });
  }
}
