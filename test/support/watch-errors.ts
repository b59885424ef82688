/** Has every error answer that a test fetches looked at, whatever the test itself looks at. */
import { checkErrorAnswer } from "./check-error-answer.ts";

const fetchAsItIs = globalThis.fetch;

globalThis.fetch = async (...request) => {
  const response = await fetchAsItIs(...request);
  if (response.status >= 400 && response.headers.has("x-should-retry")) {
    const type = response.headers.get("content-type") ?? undefined;
    checkErrorAnswer(response.status, type, await response.clone().text());
  }
  return response;
};
