/** Owns the access token: where it stays, and who asks for it. Refuses to know what it opens. */
import { signal } from "@preact/signals";

/** Gone with the tab, and never sent anywhere else. */
const KEY = "sluice.token";

export const token = signal(sessionStorage.getItem(KEY) ?? "");

/** How often there was another one: what was opened before may then be opened anew. */
export const tokenCount = signal(0);

/** Whether somebody was refused for want of one. */
export const isTokenWanted = signal(false);

/** @param {string} text */
export function setToken(text) {
  token.value = text.trim();
  sessionStorage.setItem(KEY, token.value);
}

/** The token is what it is now, for all who wait for one. */
export function renew() {
  tokenCount.value += 1;
}

/** Codes of errors that another token may help against. */
const REFUSALS = new Set(["unauthorized", "token_expired", "forbidden"]);

/** Says so when an error means that a token is needed. @param {string | undefined} code */
export function noticeRefusal(code) {
  if (code !== undefined && REFUSALS.has(code)) isTokenWanted.value = true;
}
