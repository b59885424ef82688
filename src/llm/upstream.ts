/**
 * Owns the request to one provider, through the openai SDK. Refuses to know about other providers,
 * retries and the client: it opens one response and hands it over.
 */
import OpenAI from "openai";
import type { Clock } from "../stream/clock.ts";
import { cutErrorBodies } from "./error-body.ts";
import type { ChatRequest } from "./request.ts";

/** Where a provider is and who we are there. Comes from configuration only, never from a request. */
export interface UpstreamConfig {
  readonly apiKey: string | undefined;
  readonly baseURL: string | undefined;
  /** Replaces the request's model; for fallbacks, which call theirs by another name. */
  readonly model: string | undefined;
}

/** A model provider. */
export interface Upstream {
  /** For people and logs; holds no secret. */
  readonly name: string;
  /** Where it is, for logs: what else an address may have (a path, a user) can be secret. */
  readonly host: string;
  /**
   * Sends the request and resolves with the response once its headers are there. Aborting `signal`
   * closes the provider's socket, also while the body is read.
   *
   * @throws APIError of the SDK for a status that is not 2xx, or when nothing could be reached.
   */
  open(request: ChatRequest, signal: AbortSignal): Promise<Response>;
}

/** How the SDK reaches the network; the demo passes its own. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/**
 * A provider that speaks OpenAI's API. The SDK owns URLs, headers and authentication; retries and
 * time limits are ours, because they depend on what the client has already seen.
 */
export function createUpstream(
  name: string,
  { apiKey, baseURL, model }: UpstreamConfig,
  { clock, fetch }: { readonly clock: Clock; readonly fetch: Fetch },
): Upstream {
  const client = new OpenAI({
    // Local servers want no key, but the SDK wants a string.
    apiKey: apiKey ?? "none",
    baseURL: baseURL ?? null,
    maxRetries: 0,
    logLevel: "off",
    // A redirect would carry the key to a host the operator never named.
    fetchOptions: { redirect: "manual" },
    fetch: cutErrorBodies(fetch, clock),
  });
  return {
    name,
    host: new URL(client.baseURL).host,
    open: (request, signal) =>
      client.chat.completions
        .create(
          {
            ...request,
            ...(model === undefined ? {} : { model }),
          } as OpenAI.ChatCompletionCreateParams,
          { signal },
        )
        .asResponse(),
  };
}
