/** Owns what a peer is told and how it is asked. */

/** A peer's variables. */
export interface PeerEnv {
  readonly OPENAI_BASE_URL: string;
}

/** The part of the request that peers look at. */
export interface PeerRequest {
  readonly model: string;
  readonly messages: { readonly role: "user"; readonly content: string }[];
}

export const EVENT_STREAM = { "content-type": "text/event-stream" };
