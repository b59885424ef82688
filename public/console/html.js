/** Owns the template tag of the console's components: HTML as text, made into Preact's elements. */
import htm from "htm";
import { h } from "preact";

export const html = htm.bind(h);
