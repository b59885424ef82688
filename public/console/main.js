/** Owns the start of the console. */
import { render } from "preact";
import { html } from "./html.js";
import { Shell } from "./shell.js";

const root = document.querySelector("#console");
if (root === null) throw new Error("The page lacks its console.");
render(html`<${Shell} />`, root);
