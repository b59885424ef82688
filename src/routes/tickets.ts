/**
 * Owns tickets at the door: a token is exchanged for something that opens one connection within
 * seconds, because a browser's EventSource and WebSocket can send nothing but an address. Refuses to
 * know what is then opened.
 */
import { Hono } from "hono";
import * as v from "valibot";
import { parseAccess, parseGrants } from "../auth/claims.ts";
import type { Bearer, Principal } from "../auth/principal.ts";
import { hashTicket, isTicket, makeTicket, shardOf } from "../auth/ticket.ts";
import { SluiceError } from "../protocol/errors.ts";
import { TICKET_TTL_S } from "../protocol/limits.ts";
import type { AppContext, AppEnv } from "./app-env.ts";
import { readOptionalJson } from "./read-json.ts";

const bodySchema = v.strictObject({ can: v.optional(v.unknown()) });

/** What is kept of a bearer; written and read here only. */
type Kept = Omit<Bearer, "kind" | "access" | "within"> & { readonly within?: unknown };

export function ticketRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/v1/tickets", async (c) => await issue(c));
}

async function issue(c: AppContext): Promise<Response> {
  const { principal, deps } = c.var;
  if (principal.kind === "anonymous" || principal.kind === "link") {
    throw new SluiceError("unauthorized");
  }
  const parsed = v.safeParse(bodySchema, await readOptionalJson(c));
  const can = parsed.success ? parsed.output.can : undefined;
  if (!parsed.success || (can !== undefined && parseGrants(can) === undefined)) {
    throw new SluiceError("invalid_request", {
      detail: "Expected {can?}, as in a token, to open less with the ticket than with the token.",
    });
  }
  const ticket = makeTicket();
  const now = deps.clock.now() / 1_000;
  let expiresAt = now + TICKET_TTL_S;
  // Where only this machine is served, nobody asks for it.
  if (principal.kind === "subject") {
    expiresAt = Math.min(expiresAt, principal.expiresAt);
    const { subject, tokenId, issuedAt, claim } = principal;
    const kept: Kept = {
      subject,
      tokenId,
      issuedAt,
      expiresAt: principal.expiresAt,
      claim,
      within: can,
    };
    const hash = await hashTicket(ticket);
    await c.env.TICKETS.getByName(shardOf(hash)).keep(
      hash,
      JSON.stringify(kept),
      expiresAt * 1_000,
    );
  }
  const body = { ticket, expiresIn: Math.max(0, Math.floor(expiresAt - now)) };
  return c.json(body, 201, { "cache-control": "no-store" });
}

const USED_UP = `A ticket counts once, within ${TICKET_TTL_S} s of its making: get a new one by POST /v1/tickets.`;

/**
 * Who has this ticket, which is then used up.
 *
 * @throws SluiceError `unauthorized`, `token_expired`.
 */
export async function useTicket(c: AppContext, ticket: string): Promise<Principal> {
  const { config, deps } = c.var;
  if (!isTicket(ticket)) throw new SluiceError("unauthorized", { detail: USED_UP });
  const hash = await hashTicket(ticket);
  const text = await c.env.TICKETS.getByName(shardOf(hash)).take(hash);
  if (text === undefined) throw new SluiceError("unauthorized", { detail: USED_UP });
  const { within, ...kept } = JSON.parse(text) as Kept;
  if (kept.expiresAt <= deps.clock.now() / 1_000) throw new SluiceError("token_expired");
  const { claim } = kept;
  const access = claim === undefined ? config.auth.defaultAccess : parseAccess(claim);
  const grants = within === undefined ? undefined : parseGrants(within);
  // Both were understood when the ticket was made, by a Worker that may have been another version.
  if (access === undefined || (within !== undefined && grants === undefined)) {
    throw new SluiceError("unauthorized");
  }
  return { kind: "subject", ...kept, claim, access, within: grants };
}
