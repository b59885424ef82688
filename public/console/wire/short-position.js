/** Owns how a position is written for people. */

/** The number in a position, which has many zeros before it. @param {string | undefined} position */
export function shortPosition(position = "") {
  if (/^\d/.test(position) && !position.includes("_")) return `#${position}`;
  const number = /_0*(\d+)(\D.*)?$/.exec(position);
  return number === null ? position.slice(-12) : `#${number[1]}`;
}
