/** Owns a network made of plain objects: answers and sockets that do what a test says. Refuses to know the client. */

/** An event stream that a test writes. */
export class FakeStream {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly response: Response;
  /** Whether its reader has given it up. */
  isGone = false;

  constructor(
    signal: AbortSignal | null | undefined,
    headers: Readonly<Record<string, string>> = {},
  ) {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    this.#writer = writable.getWriter();
    this.#writer.closed.catch(() => {});
    this.response = new Response(readable, {
      headers: { "content-type": "text/event-stream", ...headers },
    });
    signal?.addEventListener("abort", () => {
      this.isGone = true;
      this.#writer.abort(signal.reason).catch(() => {});
    });
  }

  /** Does not wait: a reader that reads nothing holds it up. */
  write(text: string): void {
    this.#writer.write(new TextEncoder().encode(text)).catch(() => {});
  }

  end(): void {
    this.#writer.close().catch(() => {});
  }
}

/** What was asked. */
export interface Asked {
  readonly url: string;
  readonly headers: Headers;
  readonly body: unknown;
}

/** A `fetch` whose answers a test gives, one after the other. */
export class FakeFetch {
  readonly asked: Asked[] = [];
  readonly streams: FakeStream[] = [];
  readonly #answers: (Response | Error)[] = [];

  /** Answers the next request so, instead of with an open stream. */
  answer(answer: Response | Error): void {
    this.#answers.push(answer);
  }

  readonly fetch: typeof globalThis.fetch = (input, init) => {
    const body = typeof init?.body === "string" ? (JSON.parse(init.body) as unknown) : undefined;
    const url = input instanceof Request ? input.url : input.toString();
    this.asked.push({ url, headers: new Headers(init?.headers), body });
    const answer = this.#answers.shift();
    if (answer instanceof Error) return Promise.reject(answer);
    if (answer !== undefined) return Promise.resolve(answer);
    const stream = new FakeStream(init?.signal);
    this.streams.push(stream);
    return Promise.resolve(stream.response);
  };
}

/** A WebSocket whose other end is the test. */
export class FakeWebSocket extends EventTarget {
  static readonly opened: FakeWebSocket[] = [];
  binaryType = "";
  readonly url: string;
  readonly protocols: readonly string[];
  readonly sent: (string | Uint8Array)[] = [];
  isClosed = false;

  constructor(url: string, protocols: readonly string[]) {
    super();
    this.url = url;
    this.protocols = protocols;
    FakeWebSocket.opened.push(this);
  }

  /** The newest one. @throws Error when there is none. */
  static get last(): FakeWebSocket {
    const last = FakeWebSocket.opened.at(-1);
    if (last === undefined) throw new Error("no socket was opened");
    return last;
  }

  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }

  close(): void {
    this.isClosed = true;
  }

  open(): void {
    this.dispatchEvent(new Event("open"));
  }

  receive(data: string | Uint8Array): void {
    const message = typeof data === "string" ? data : data.slice().buffer;
    this.dispatchEvent(new MessageEvent("message", { data: message }));
  }

  /** Fails before it has opened, as some platforms tell it. */
  refuse(...events: readonly ("error" | "close")[]): void {
    for (const type of events) {
      this.dispatchEvent(Object.assign(new Event(type), type === "close" ? { code: 1006 } : {}));
    }
  }

  break(code: number): void {
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}
