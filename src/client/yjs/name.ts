/** Owns what documents may be called. Refuses to know which there are. */

/** None that an address takes for a step between folders. */
const NAME = /^(?!\.{1,2}$)[A-Za-z0-9._:-]{1,60}$/;

/** 1–60 letters, digits and `._:-`; neither `.` nor `..`. */
export function isDocumentName(name: string): boolean {
  return NAME.test(name);
}
