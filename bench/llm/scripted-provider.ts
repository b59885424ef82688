/**
 * Owns the provider that all peers ask: a process of its own that speaks OpenAI's stream, paced or as
 * fast as it can, every chunk in a write of its own. Refuses to know who asks.
 *
 * Prints its port once it listens.
 */
import { type ServerResponse, createServer } from "node:http";
import { type Scenario, type Script, SCRIPTS, tokenText } from "./tokens.ts";

const HEADERS = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };

const server = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (text: string) => {
    body += text;
  });
  request.on("end", () => {
    const { model } = JSON.parse(body) as { model: Scenario };
    const script: Script = SCRIPTS[model];
    request.socket.setNoDelay(true);
    if (script.thinkMs === undefined) speak(response, script);
    else setTimeout(() => speak(response, script), script.thinkMs);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) console.log(address.port);
});

function speak(response: ServerResponse, { tokens, paceMs }: Script): void {
  response.writeHead(200, HEADERS);
  response.flushHeaders();
  if (paceMs === undefined) speakAtOnce(response, tokens);
  else speakInTime(response, tokens, paceMs);
}

function speakAtOnce(response: ServerResponse, tokens: number): void {
  const sentAt = microseconds();
  // Past the response object, which would gather what is written in one turn into one write.
  for (let index = 0; index < tokens; index += 1) {
    response.socket?.write(frame(`data: ${chunk({ content: tokenText(index, sentAt) })}\n\n`));
  }
  response.socket?.write(frame(`data: ${chunk({}, "stop")}\n\n`));
  response.socket?.write(frame("data: [DONE]\n\n"));
  response.end();
}

/** By the clock: a timer that comes late does not put off the tokens after it. */
function speakInTime(response: ServerResponse, tokens: number, paceMs: number): void {
  const startedAt = performance.now();
  let index = 0;
  const speak = (): void => {
    if (index === tokens) {
      response.write(`data: ${chunk({}, "stop")}\n\n`);
      response.end("data: [DONE]\n\n");
      return;
    }
    response.write(`data: ${chunk({ content: tokenText(index, microseconds()) })}\n\n`);
    index += 1;
    setTimeout(speak, Math.max(0, startedAt + index * paceMs - performance.now()));
  };
  speak();
}

/** About 250 bytes, as OpenAI's are. */
function chunk(delta: { readonly content?: string }, finishReason: string | null = null): string {
  return JSON.stringify({
    id: "chatcmpl-CBq7bW4vJr1ZkT0s8XyPfLd2mNhEa",
    object: "chat.completion.chunk",
    created: 1_790_000_000,
    model: "gpt-5-mini-2026-08-07",
    service_tier: "default",
    system_fingerprint: "fp_50cad350e4",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
  });
}

/** One piece of a chunked body. */
function frame(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

function microseconds(): number {
  return Math.round(Number(process.hrtime.bigint()) / 1000);
}
