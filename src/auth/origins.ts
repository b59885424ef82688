/**
 * Owns which pages may call. A browser sends `Origin` with everything a page could do harm with;
 * what comes without it is no page, and is judged by its token alone. Refuses to know about tokens.
 */
import { isLoopback } from "./loopback.ts";

/**
 * Whether a page of `origin` may use the server at `url`: our own pages always, listed ones, and,
 * while only this machine is served, pages of this machine on any port.
 */
export function isOriginAllowed(
  origin: string,
  url: URL,
  settings: { readonly allowed: ReadonlySet<string> | "any"; readonly local: boolean },
): boolean {
  if (settings.allowed === "any" || settings.allowed.has(origin) || origin === url.origin) {
    return true;
  }
  return settings.local && isLocalPage(origin);
}

/** Whether a browser could send this for a page of this machine: nothing but scheme, host and port. */
function isLocalPage(origin: string): boolean {
  const url = URL.parse(origin);
  if (url === null || url.origin !== origin) return false;
  return /^https?:$/.test(url.protocol) && isLoopback(url.hostname);
}
