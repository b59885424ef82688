/**
 * Owns one request below `fetch`, which would not send a foreign `Host` or `Origin`. Refuses to judge
 * the answer, but for what no error may hold.
 */
import { request } from "node:http";
import { checkErrorAnswer } from "./check-error-answer.ts";

interface Sending {
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** An answer, read to its end. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The JSON, or `{text}` when it is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

export function sendRequest({ body, ...target }: Sending): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", agent: false, ...target }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => (text += piece));
      response.on("error", reject);
      response.on("end", () => {
        const type = response.headers["content-type"];
        try {
          checkErrorAnswer(response.statusCode ?? 0, type, text);
        } catch (thrown) {
          reject(thrown);
          return;
        }
        const isJson = type?.includes("json") === true && text !== "";
        const parsed = (isJson ? JSON.parse(text) : { text }) as Answer["body"];
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
