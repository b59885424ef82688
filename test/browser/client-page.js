/**
 * Owns a page with nothing but the client and its suite, for tests to reach into. Refuses to show
 * anything.
 */
import { createClient } from "../../src/client/index.ts";
import { indexedDbOutbox } from "../../src/client/outbox/indexed-db.ts";
import { answerCases } from "../client-suite/answers.ts";
import { roomCases } from "../client-suite/rooms.ts";
import { runCase } from "../client-suite/suite.ts";
import { topicCases } from "../client-suite/topics.ts";

/** What the page lends to tests. */
const lent = {
  createClient,
  indexedDbOutbox,
  /** Runs one case; the text of its error if it fails. */
  async run(title, surroundings) {
    const one = [...topicCases, ...roomCases, ...answerCases].find((each) => each.title === title);
    if (one === undefined) return "There is no such case.";
    try {
      await runCase(one, surroundings);
    } catch (error) {
      return String(error);
    }
    return undefined;
  },
};

Object.assign(globalThis, { lent });
