/**
 * Owns the client of all measurements: plain HTTP over connections that are used again, and a note of
 * when which bytes came. Refuses to know what they mean; whatever takes time is done after the end.
 */
import { Agent, type IncomingHttpHeaders, request } from "node:http";

/** A part of a body, and when it came. */
interface Arrival {
  readonly at: number;
  readonly bytes: Buffer;
}

/** An answer as it was seen. Times are milliseconds of the machine's monotonic clock. */
export interface Exchange {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly sentAt: number;
  readonly endedAt: number;
  readonly arrivals: readonly Arrival[];
}

/** Keeps connections, so that no measurement pays for opening one. */
const agent = new Agent({ keepAlive: true });

/** Milliseconds of the machine's monotonic clock: the same in every process. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What is asked, besides where. */
interface Question {
  /** Posted as JSON; left out, the request is a GET. */
  readonly body?: unknown;
  /** Told as soon as the answer's headers are there. */
  readonly onHeaders?: (headers: IncomingHttpHeaders) => void;
}

/** Asks and reads the answer to its end. */
export async function ask(url: URL, question: Question): Promise<Exchange> {
  for (;;) {
    const exchange = await exchangeOnce(url, question);
    if (exchange !== undefined) return exchange;
  }
}

/** Undefined when the server ended an idle connection in the moment in which it was used again: nobody was asked. */
function exchangeOnce(url: URL, { body, onHeaders }: Question): Promise<Exchange | undefined> {
  const json = body === undefined ? undefined : JSON.stringify(body);
  const method = json === undefined ? "GET" : "POST";
  const headers =
    json === undefined
      ? {}
      : { "content-type": "application/json", "content-length": Buffer.byteLength(json) };
  return new Promise((resolve, reject) => {
    const arrivals: Arrival[] = [];
    let isAnswered = false;
    const sentAt = now();
    const outgoing = request(url, { method, agent, headers }, (response) => {
      isAnswered = true;
      onHeaders?.(response.headers);
      response.on("data", (bytes: Buffer) => {
        arrivals.push({ at: now(), bytes });
      });
      response.on("end", () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, sentAt, endedAt: now(), arrivals });
      });
      response.on("error", reject);
    });
    outgoing.on("error", (error) => {
      if (outgoing.reusedSocket && !isAnswered) resolve(undefined);
      else reject(error);
    });
    outgoing.end(json);
  });
}

/** When each match of `pattern` was complete at the client; the pattern must match ASCII only. */
export function findArrivals(
  { arrivals }: Exchange,
  pattern: RegExp,
): readonly { readonly at: number; readonly match: RegExpExecArray }[] {
  const text = Buffer.concat(arrivals.map(({ bytes }) => bytes)).toString("latin1");
  const found = [];
  let index = 0;
  let end = arrivals[0]?.bytes.length ?? 0;
  for (const match of text.matchAll(pattern)) {
    while (end < match.index + match[0].length) {
      index += 1;
      end += arrivals[index]?.bytes.length ?? 0;
    }
    found.push({ at: arrivals[index]?.at ?? Number.NaN, match });
  }
  return found;
}

/** Lets go of the connections. */
export function closeClient(): void {
  agent.destroy();
}
