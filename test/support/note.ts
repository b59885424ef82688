/** Owns what a test tells the person who reads its output: a seed, a figure. Refuses to judge it. */
export function note(text: string): void {
  console.log(text);
}
