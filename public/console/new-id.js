/** Owns names that nobody else makes up. Refuses to know what is named. */

/** A new one. Browsers keep `randomUUID` from pages without HTTPS, such as another machine's in development. */
export function newId() {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}
