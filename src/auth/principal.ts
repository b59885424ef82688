/**
 * Owns who a caller can be. What a caller may do hangs on the principal. Refuses to know how it was
 * proved, and about routes.
 */
import type { Access, Grant } from "./claims.ts";

/** Somebody with a token that counts, or with a ticket for one. */
export interface Bearer {
  readonly kind: "subject";
  readonly subject: string;
  /** The token's `jti`. */
  readonly tokenId: string | undefined;
  /** Seconds since 1970 when the token was made, if it says so. */
  readonly issuedAt: number | undefined;
  /** Seconds since 1970 when the token ends. */
  readonly expiresAt: number;
  /** The claim as it was written; undefined: what the operator gives to tokens without one. */
  readonly claim: unknown;
  readonly access: Access;
  /** A ticket may open less than its token: then both have to allow what is asked for. */
  readonly within?: readonly Grant[] | undefined;
}

/** Somebody who was given the address of one answer. */
export interface LinkHolder {
  readonly kind: "link";
  readonly generation: string;
  /** Of the answer's log: what has the same id later is another answer. */
  readonly epoch: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

/** A caller whose identity is established. */
export type Principal =
  /** Whoever is on this machine, where only this machine is served. */
  { readonly kind: "local" } | Bearer | LinkHolder | { readonly kind: "anonymous" };

/** When what a caller may do ends, in seconds since 1970; undefined: never. */
export function expiryOf(principal: Principal): number | undefined {
  return "expiresAt" in principal ? principal.expiresAt : undefined;
}
