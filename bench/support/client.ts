/**
 * Owns the client of all measurements: plain HTTP over connections that are used again, and a note of
 * when which bytes came. Refuses to know what they mean; whatever takes time is done after the end.
 */
import { Agent, request } from "node:http";

/** A part of a body, and when it came. */
interface Arrival {
  readonly at: number;
  readonly bytes: Buffer;
}

/** An answer as it was seen. Times are milliseconds of the machine's monotonic clock. */
export interface Exchange {
  readonly status: number;
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

/** Posts JSON and reads the answer to its end. */
export function post(url: URL, body: unknown): Promise<Exchange> {
  const json = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const arrivals: Arrival[] = [];
    const headers = { "content-type": "application/json", "content-length": json.length };
    const sentAt = now();
    const outgoing = request(url, { method: "POST", agent, headers }, (response) => {
      response.on("data", (bytes: Buffer) => {
        arrivals.push({ at: now(), bytes });
      });
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, sentAt, endedAt: now(), arrivals });
      });
      response.on("error", reject);
    });
    outgoing.on("error", reject);
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
