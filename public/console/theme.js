/** Owns whether the page is light or dark: what the system says, unless somebody has chosen. */
import { signal } from "@preact/signals";

const KEY = "sluice.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const chosen = signal(localStorage.getItem(KEY));

/** What is shown. @type {import("@preact/signals").Signal<"light" | "dark">} */
export const theme = signal(resolve());

system.addEventListener("change", apply);
apply();

export function switchTheme() {
  const next = theme.value === "dark" ? "light" : "dark";
  // Who chooses what the system says follows it from then on.
  chosen.value = next === fromSystem() ? null : next;
  if (chosen.value === null) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, chosen.value);
  apply();
}

function apply() {
  theme.value = resolve();
  if (chosen.value === null) delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme.value;
}

/** @returns {"light" | "dark"} */
function resolve() {
  return chosen.value === "light" || chosen.value === "dark" ? chosen.value : fromSystem();
}

function fromSystem() {
  return system.matches ? "dark" : "light";
}
