/** Owns the name of whoever is here, made up once a tab, and the colour that goes with a name. */

const KINDS = ["Quiet", "Brisk", "Silver", "Gentle", "Wandering", "Early", "Merry", "Steady"];
const BEINGS = ["Heron", "Otter", "Dipper", "Eel", "Beaver", "Kingfisher", "Trout", "Swallow"];

/** Colours that the style sheet has for people. */
const COLOURS = 6;

const KEY = "sluice.member";

/** @param {readonly string[]} words */
function pick(words) {
  return words[Math.floor(Math.random() * words.length)] ?? "";
}

/** Two tabs are two people, as they would be on two devices; a reload is the same one. */
export function ownName() {
  const known = sessionStorage.getItem(KEY);
  if (known !== null) return known;
  const made = `${pick(KINDS)}-${pick(BEINGS)}-${Math.floor(Math.random() * 90) + 10}`;
  keepOwnName(made);
  return made;
}

/** @param {string} name */
export function keepOwnName(name) {
  sessionStorage.setItem(KEY, name);
}

/** @param {string} name */
export function colourOf(name) {
  let sum = 7;
  for (const char of name) sum = (sum * 131 + (char.codePointAt(0) ?? 0)) % 9973;
  return `person-${sum % COLOURS}`;
}

/** @param {string} name */
export function initialsOf(name) {
  return name
    .split(/[^\p{L}\p{N}]+/u)
    .slice(0, 2)
    .map((word) => word.slice(0, 1))
    .join("")
    .toUpperCase();
}
