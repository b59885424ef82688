/**
 * Owns the ways in which a request can say who sent it: a token in a header or a subprotocol, a ticket
 * or a link in the address. Refuses to know what the caller may do.
 */
import type { KeySets } from "../auth/key-set.ts";
import type { Principal } from "../auth/principal.ts";
import { openLink } from "../auth/read-link.ts";
import { readToken } from "../auth/token.ts";
import { SluiceError } from "../protocol/errors.ts";
import type { AppContext } from "./app-env.ts";
import { useTicket } from "./tickets.ts";

/** Begins the offered subprotocol that carries a token. */
const TOKEN_PROTOCOL = "sluice.bearer.";

/**
 * Establishes who sent a request.
 *
 * @throws SluiceError `unauthorized`, `token_expired`, `auth_unavailable`.
 */
export async function establishCaller(c: AppContext, keySets: KeySets): Promise<Principal> {
  const { config, deps } = c.var;
  const { auth } = config;
  if (auth.rules.kind === "none") return { kind: "local" };
  const now = deps.clock.now() / 1000;
  const token = tokenOf(c);
  if (token !== undefined) {
    return await readToken(token, {
      settings: auth,
      now,
      findKeys: async (url, kid) =>
        await keySets.find(url, kid, (work) => {
          c.executionCtx.waitUntil(work);
        }),
    });
  }
  // What stands in an address opens reading only: it is what browsers cannot send otherwise.
  const { method } = c.req.raw;
  const ticket = c.req.query("ticket");
  // Not by HEAD: what looks at an address first would use it up.
  if (ticket !== undefined && method === "GET") return await useTicket(c, ticket);
  const link = c.req.query("link");
  if (link !== undefined && (method === "GET" || method === "HEAD")) {
    return await openLink(link, { secret: auth.linkSecret, now });
  }
  if (auth.anonymousRead.length > 0) return { kind: "anonymous" };
  throw new SluiceError("unauthorized");
}

/** A browser cannot set headers of a WebSocket, so there the token may travel as a subprotocol. */
function tokenOf(c: AppContext): string | undefined {
  const offered = c.req.header("sec-websocket-protocol")?.split(",") ?? [];
  const token = offered.map((name) => name.trim()).find((name) => name.startsWith(TOKEN_PROTOCOL));
  if (token !== undefined) return token.slice(TOKEN_PROTOCOL.length);
  const header = c.req.header("authorization");
  // Whoever sends something that is no token has not come without one.
  return header === undefined ? undefined : (/^Bearer +(\S+)$/i.exec(header)?.[1] ?? "");
}
