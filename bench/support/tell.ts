/** Owns telling whoever waits at a terminal how far it is. Refuses to know what is going on. */

/** Says what is going on, in one line that the next one replaces. */
export function tell(text: string): void {
  process.stderr.write(`\r${text.padEnd(70)}`);
}
