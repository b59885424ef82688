/** Owns which addresses are one caller. Refuses to know where an address was read. */

/** Groups of an IPv6 address that belong to one customer: a /64, in which anybody has as many as they like. */
const NETWORK_GROUPS = 4;

/** Characters of what is no address at all. */
const MAX_CHARS = 64;

/** The name of the network that an address counts for. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address.slice(0, MAX_CHARS);
  const [head = "", tail] = address.toLowerCase().split("::", 2);
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const mapped = last.at(-1) ?? first.at(-1) ?? "";
  // An IPv4 address in disguise.
  if (mapped.includes(".")) return mapped.slice(0, MAX_CHARS);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array.from({ length: zeros }, () => "0"), ...last];
  const network = groups.slice(0, NETWORK_GROUPS).map((group) => group.replace(/^0+(?=.)/, ""));
  return `${network.join(":").slice(0, MAX_CHARS)}::/64`;
}
