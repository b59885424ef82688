/** Owns the reading of a form that was sent; the page itself sends none. */

/**
 * @param {Event} event a `submit`
 * @returns {{ form: HTMLFormElement, field: (name: string) => string }} `field` gives what was written
 */
export function readForm(event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.currentTarget);
  const fields = new FormData(form);
  /** @param {string} name */
  const field = (name) => {
    const value = fields.get(name);
    return typeof value === "string" ? value.trim() : "";
  };
  return { form, field };
}
