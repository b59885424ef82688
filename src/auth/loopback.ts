/** Owns the question whether a host name can only mean this machine. Refuses to resolve names. */

/**
 * Whether `hostname` (as `URL.hostname` gives it) is `localhost`, a name below it, or a loopback
 * address (RFC 6761 §6.3, RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).
 */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
  );
}
