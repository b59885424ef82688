/** Owns the list of the suite's cases, in their order. */
import { answerCases } from "./answers.ts";
import { roomCases } from "./rooms.ts";
import type { Case } from "./suite.ts";
import { topicCases } from "./topics.ts";

export const cases: readonly Case[] = [...topicCases, ...roomCases, ...answerCases];
