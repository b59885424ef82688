/** Owns the call that starts a stored answer, for tests that make it themselves. Refuses to know what comes of it. */
import type { StartCall } from "../../durable-objects/generation.ts";

/** Whose these answers are. */
export const OWNER = "subject:ann";

/** What they are asked. */
export const MESSAGES = [{ role: "user", content: "Hi" }];

/** A call of {@link OWNER}'s, with another attempt's name each time unless it is given. */
export function startCall({
  attempt = crypto.randomUUID(),
  ...record
}: Partial<StartCall["record"]> & { readonly attempt?: string } = {}): StartCall {
  const model = record.model ?? "demo-endless";
  return {
    attempt,
    record: {
      owner: OWNER,
      fingerprint: "f",
      model,
      whenAbandoned: { kind: "continue" },
      includeUsage: false,
      metadata: null,
      follows: null,
      said: 0,
      chat: null,
      messageId: null,
      slots: [],
      promptChars: 2,
      reservation: null,
      ...record,
    },
    said: [],
    request: JSON.stringify({ model, messages: MESSAGES, stream: true }),
  };
}
