/**
 * Owns the one client of the page. It is what any application would make, but that its network can be
 * watched and cut. Refuses to know what it is used for.
 */
import { createClient } from "sluice/client";
import { token, tokenCount } from "./token.js";
import { recordedFetch } from "./wire/recorded-fetch.js";
import { RecordedSocket } from "./wire/recorded-socket.js";

const make = () => {
  const options = {
    url: location.origin,
    token: () => token.value || undefined,
    fetch: recordedFetch,
    WebSocket: RecordedSocket.asWebSocket,
  };
  return { options, client: createClient(options) };
};

/** Belongs to a token: with another one it is another client. */
let current = make();
tokenCount.subscribe((count) => {
  if (count > 0) current = make();
});

/** The client to open something with. */
export const client = () => current.client;

/** What it was made with: whatever has the same shares its token. */
export const clientOptions = () => current.options;

/**
 * Asks the server for something that has no surface of its own in the client.
 *
 * @param {string} path
 * @param {unknown} body
 * @returns {Promise<any>} what it answered with
 */
export async function post(path, body) {
  /** @type {Record<string, string>} */
  const headers = { "content-type": "application/json" };
  if (token.value !== "") headers["authorization"] = `Bearer ${token.value}`;
  const response = await recordedFetch(path, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw Object.assign(new Error(answer.detail ?? `The server answered ${response.status}.`), {
    code: answer.code ?? `http_${response.status}`,
  });
}

/**
 * Which kind of model answers here; "unknown" when the server cannot say.
 *
 * @returns {Promise<"demo" | "configured" | "unknown">}
 */
export async function askUpstream() {
  try {
    const response = await recordedFetch("/healthz");
    return response.ok ? (await response.json()).upstream : "unknown";
  } catch {
    return "unknown";
  }
}
