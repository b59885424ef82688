/**
 * Owns a bare HTTP client of generations: asks, reads the raw text, goes on from an id. Refuses to
 * know what the events mean.
 */

/** A stream as text: all of it, and event by event. */
export interface ReadText {
  readonly response: Response;
  readonly text: string;
  /** With their blank lines; comments are left out. */
  readonly events: readonly string[];
}

export const messages = [{ role: "user", content: "Hello?" }] as const;

/** A client of one Worker. */
export class GenerationClient {
  readonly origin: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(origin: string, headers: Readonly<Record<string, string>> = {}) {
    this.origin = origin;
    this.#headers = headers;
  }

  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    return fetch(this.origin + path, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "text/event-stream, application/json",
        ...this.#headers,
        ...headers,
      },
      body: JSON.stringify(body),
    });
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}) {
    return fetch(this.origin + path, { headers: { ...this.#headers, ...headers } });
  }

  delete(path: string) {
    return fetch(this.origin + path, { method: "DELETE", headers: this.#headers });
  }

  /** Starts a stored answer in OpenAI's format. */
  start(fields: object = {}, headers: Readonly<Record<string, string>> = {}) {
    return this.post(
      "/v1/chat/completions",
      { messages, stream: true, store: true, ...fields },
      headers,
    );
  }

  /** What a generation says about itself. */
  async describe(id: string): Promise<Described> {
    const response = await this.get(`/v1/chat/completions/${id}`);
    return (await response.json()) as Described;
  }

  async stop(id: string): Promise<Described> {
    const response = await this.post(`/v1/chat/completions/${id}/cancel`, {});
    return (await response.json()) as Described;
  }

  /** Reads on after an event's id, or from the beginning. */
  watch(id: string, lastEventId?: string, door = "/v1/chat/completions") {
    return this.get(
      `${door}/${id}/events`,
      lastEventId === undefined ? {} : { "last-event-id": lastEventId },
    );
  }
}

/** The part of a generation's description that tests look at. */
export interface Described {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly choices: readonly {
    readonly message: { readonly content: string | null };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: { readonly total_tokens: number; readonly estimated?: boolean };
  readonly generation: {
    readonly state: string;
    readonly position: string;
    readonly follows: string | null;
    readonly followed_by: string | null;
    readonly continues_after: string | null;
    readonly error: { readonly code: string } | null;
  };
}

/** The generation that a response is about. */
export function generationOf(response: Response): string {
  return response.headers.get("sluice-generation") ?? "";
}

/** Reads a stream to its end. */
export async function readText(response: Response): Promise<ReadText> {
  const text = await response.text();
  return { response, text, events: splitEvents(text) };
}

/** Reads until a condition holds for the text so far, and goes away. */
export async function readUntil(
  response: Response,
  holds: (text: string) => boolean,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    text += decoder.decode(bytes, { stream: true });
    if (holds(text)) break;
  }
  return text;
}

/** The events of a stream's text, comments left out. */
function splitEvents(text: string): string[] {
  return text.split(/(?<=\n\n)/).filter((event) => !event.startsWith(":"));
}

/** The id of an event. */
export function idOf(event: string): string {
  return /^id: (.+)$/m.exec(event)?.[1] ?? "";
}
