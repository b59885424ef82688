/**
 * Owns what the demo knows: a few passages about Sluice, found by the words of a question. Refuses
 * to know how it is said.
 */

/** Something to ask about. */
interface Passage {
  readonly topic: string;
  /** Beginnings of words, in lower case, that point here. */
  readonly keywords: readonly string[];
  readonly text: string;
}

/** In order of rising precedence: where two match equally well, the later is the more special one. */
export const PASSAGES: readonly Passage[] = [
  {
    topic: "what Sluice is",
    keywords: ["sluice", "project", "overview"],
    text: `Sluice is a Cloudflare Worker that gives any frontend three things over the open web:

- LLM answers as they are written, behind an OpenAI-compatible endpoint
- Server-Sent Events that are stored and can be replayed
- WebSocket rooms that sleep between messages 😴

Behind all three is one idea: whatever can be watched is a log with positions. Being live only means reading its tail, and coming back means reading on from where you were.`,
  },
  {
    topic: "starting and deploying it",
    keywords: [
      "deploy",
      "install",
      "start",
      "wrangler",
      "cloudflare",
      "local",
      "setup",
      "production",
    ],
    text: `It needs Node and npm, nothing else:

1. \`npm start\` installs what is missing and runs the Worker on your machine. No account, no key.
2. \`npx wrangler secret put AUTH_SECRET\` sets who may come in.
3. \`npm run deploy\` brings it to your own Cloudflare account ☁️

Until a secret is set, it serves this machine only and tells everyone else what is missing.`,
  },
  {
    topic: "calling it from a page or a script",
    keywords: [
      "client",
      "sdk",
      "frontend",
      "curl",
      "fetch",
      "react",
      "browser",
      "call",
      "page",
      "endpoint",
      "api",
    ],
    text: `Use what you already have:

- the official \`openai\` client, with this server's \`/v1\` as its base URL
- plain \`fetch\`: \`POST /api/chat\` with \`{"messages": […]}\` answers \`data: {"content": "…"}\` events and ends with \`data: [DONE]\`
- \`curl -N\`, which shows the events as they arrive

No library of ours is required for any of this 🙌`,
  },
  {
    topic: "connecting a real model",
    keywords: [
      "provider",
      "key",
      "openai",
      "openrouter",
      "ollama",
      "groq",
      "azure",
      "model",
      "vllm",
      "connect",
    ],
    text: `Set \`OPENAI_API_KEY\` and I am gone 👋 For a provider other than OpenAI also set \`OPENAI_BASE_URL\`; anything that speaks OpenAI's API will do: OpenRouter, Groq, Azure, Cloudflare's AI Gateway, or vLLM and Ollama on your own machine.

- \`OPENAI_MODEL\` is used when a request names no model.
- \`LLM_FALLBACKS\` lists providers to try when the first one fails.

Keys stay inside the Worker. No answer, no error and no log line carries one.`,
  },
  {
    topic: "Server-Sent Events",
    keywords: ["sse", "server-sent", "event", "eventsource", "notification", "feed", "progress"],
    text: `Server-Sent Events are an ordinary HTTP response that does not end: lines of text, a blank line after each event, and a browser that reconnects by itself.

Sluice sends the first byte at once and a comment every 15 seconds of silence, so that nothing on the way takes a quiet stream for a dead one. User data cannot smuggle in a field of its own: a line break inside it simply becomes another \`data:\` line.`,
  },
  {
    topic: "rooms over WebSockets",
    keywords: ["room", "websocket", "socket", "presence", "broadcast", "collaborat", "member"],
    text: `A room is a Durable Object that people join by name. Members publish to everyone or write to one another, see who else is here, and find what they missed when they return 👥

Each frame is checked and limited before it is acted on. A frame that makes no sense gets its sender an error with a name; nobody else in the room notices.`,
  },
  {
    topic: "sleeping objects and what they cost",
    keywords: ["hibernat", "sleep", "idle", "cost", "price", "durable", "object", "heartbeat"],
    text: `A Durable Object without anything to do leaves memory after about ten seconds, while its sockets stay open. The next message wakes it, and heartbeats are answered by the platform without waking it at all 💤

That matters for the bill: an object kept awake costs about 4 $ a month, a sleeping one costs nothing. So in Sluice the Worker, not the object, holds long HTTP responses.`,
  },
  {
    topic: "resuming after a reload",
    keywords: [
      "resum",
      "reload",
      "reconnect",
      "replay",
      "position",
      "missed",
      "last-event-id",
      "survive",
      "offline",
    ],
    text: `Everything that streams is written to a log before anyone sees it, and each entry has a position. A client that comes back names the last position it has and reads on from there:

- nothing is missing and nothing comes twice
- an answer goes on being written while nobody looks, and its tokens are paid for once
- a position that is no longer stored is answered with a *gap* that says what is lost

Being cut off is therefore a pause, not an end ☕`,
  },
  {
    topic: "slow readers and backpressure",
    keywords: ["backpressure", "slow", "buffer", "memory", "flow", "credit", "pressure"],
    text: `A stream here is pulled: the next piece is asked for when the reader has taken the last one. A slow reader of an answer slows the model's side down through the socket, instead of filling the Worker's memory.

WebSockets have no such brake, so rooms use credit. A member grants some messages, and gets no more until it grants again. One that lags behind is only a number, its place in the log 📖`,
  },
  {
    topic: "stopping an answer",
    keywords: ["stop", "abort", "cancel", "cleanup", "leave", "disconnect"],
    text: `Press *Stop* and the connection closes. The Worker learns of it in three ways, by the request's signal, by the cancelled stream or by a write that fails, and any one of them is enough to close the provider's connection too ✋

Every timer, reader and socket belongs to a scope that ends with the answer, however it ends.`,
  },
  {
    topic: "errors and broken answers",
    keywords: ["error", "fail", "truncat", "broken", "retry", "retries", "fallback", "timeout"],
    text: `An answer ends in exactly one way, and you are told which. \`[DONE]\` means complete; everything else is an \`error\` event with a code to act on.

- Before the first token, another provider is tried.
- After it, never: half an answer is not glued to another one.
- A stream that just stops is reported as cut off, not shown as finished ✂️`,
  },
  {
    topic: "tokens, origins and safety",
    keywords: ["auth", "token", "jwt", "secret", "login", "safe", "secur", "origin", "cors"],
    text: `Callers bring a signed token that expires: \`Authorization: Bearer …\`, checked against \`AUTH_SECRET\` or the keys at \`AUTH_JWKS_URL\` 🔐

Pages of other origins must be listed in \`ALLOWED_ORIGINS\`. Bodies are measured while they are read, answers have a longest length and a longest time, and each caller has a rate.`,
  },
  {
    topic: "MessagePack and batching",
    keywords: [
      "messagepack",
      "msgpack",
      "binary",
      "batch",
      "compress",
      "fast",
      "performance",
      "latency",
    ],
    text: `Frames on sockets are MessagePack: smaller than JSON, and encoded once for a message, not once for each member.

Under load, small messages share a frame for up to 8 ms. When it is quiet they wait for nobody ⚡ Event streams are never compressed on the way, because a compressor holds back what it has until there is more.`,
  },
];

/** The passage that shares most with a question; `undefined` when nothing fits. */
export function findPassage(question: string): string | undefined {
  const words = question.toLowerCase().match(/[\p{L}\p{N}-]+/gu) ?? [];
  let best: { readonly score: number; readonly text: string } | undefined;
  for (const { keywords, text } of PASSAGES) {
    const score = keywords.filter((keyword) =>
      words.some((word) => word.startsWith(keyword)),
    ).length;
    if (score > 0 && score >= (best?.score ?? 0)) best = { score, text };
  }
  return best?.text;
}
