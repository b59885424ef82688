/**
 * Owns how changes of a room's shared documents are told apart from its other messages. Refuses to know
 * what a change says.
 */

/** Begins the event of every message that changes a document; the document's name follows. */
const PREFIX = "doc:";

/** Not `.` and `..`, which mean something else in an address. */
const NAME = /^(?!\.{1,2}$)[A-Za-z0-9._:-]{1,60}$/;

/** 1–60 letters, digits and `._:-`, not `.` or `..`: with what begins it, still the name of an event. */
export function isDocumentName(name: string): boolean {
  return NAME.test(name);
}

/** The document that messages of this event change, which may be no name of one; undefined: none. */
export function documentOf(event: string): string | undefined {
  return event.startsWith(PREFIX) ? event.slice(PREFIX.length) : undefined;
}

/** The event of messages that change a document. */
export function eventOf(document: string): string {
  return PREFIX + document;
}

/** The version of a document that nobody has changed yet. */
export const NO_VERSION = "0";
