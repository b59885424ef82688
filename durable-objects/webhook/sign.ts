/** Owns the signature of a webhook, as Standard Webhooks has it. Refuses to know what is signed. */

/** What is signed: an attempt has its own time, so that an old one cannot be played again. */
interface Signed {
  readonly id: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly body: string;
}

/** The headers that prove who sent it, with a signature by each key. */
export async function signWebhook(
  { id, timestamp, body }: Signed,
  keys: readonly Uint8Array[],
): Promise<Readonly<Record<string, string>>> {
  const content = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const signatures = await Promise.all(
    keys.map(async (bytes) => {
      const algorithm = { name: "HMAC", hash: "SHA-256" };
      const key = await crypto.subtle.importKey("raw", bytes.slice(), algorithm, false, ["sign"]);
      const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, content));
      return `v1,${btoa(String.fromCharCode(...signature))}`;
    }),
  );
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signatures.join(" "),
  };
}
