/**
 * Owns the table of the demo's scenarios: which model name plays what. Refuses to know how a script
 * becomes bytes.
 */
import type { DemoRequest } from "./demo-request.ts";
import { PASSAGES, findPassage } from "./knowledge.ts";
import { FAST, NORMAL, SLOW } from "./pace.ts";
import type { Piece, Script } from "./script.ts";
import { splitTokens } from "./tokens.ts";
import { callTool } from "./tool-call.ts";

/** What happens: a script for the request, or a provider that refuses to answer at all. */
export type Scenario = "refuse" | ((request: DemoRequest) => Script);

interface Row {
  /** For the list that the demo gives of itself. */
  readonly about: string;
  readonly play: Scenario;
}

/** Said first in every answer, so that nobody takes it for a model's. */
const DISCLAIMER = "Demo answer, no model is connected.\n\n";

/** Tokens said before the scenario goes wrong: enough to see that it had begun. */
const TOKENS_BEFORE_TROUBLE = 12;

/** Lines of the long answer: about 4,000 tokens, several screens and several read buffers. */
const LONG_LINES = 40;

const SCENARIOS: ReadonlyMap<string, Row> = new Map<string, Row>([
  [
    "demo-slow",
    {
      about: "thinks for 3 seconds, then speaks slowly",
      play: (request) => ({ ...answer(request), pace: SLOW }),
    },
  ],
  ["demo-fail-before", { about: "fails before the first token", play: "refuse" }],
  [
    "demo-fail-after",
    {
      about: "fails after some tokens",
      play: (request) => begin(request, "error"),
    },
  ],
  [
    "demo-truncated",
    {
      about: "breaks off without an end",
      play: (request) => begin(request, "cut"),
    },
  ],
  [
    "demo-endless",
    {
      about: "never ends, for the stop button",
      play: () => ({ ...speak(""), pieces: count() }),
    },
  ],
  [
    "demo-long",
    {
      about: "says several thousand tokens, fast",
      play: () => ({ ...speak(""), pieces: recite(LONG_LINES), pace: FAST }),
    },
  ],
  ["demo-tools", { about: "calls the first tool of the request", play: useTools }],
  [
    "demo-reasoning",
    {
      about: "thinks aloud before it answers",
      play: (request) => {
        const script = answer(request);
        return { ...script, pieces: [...think(request), ...script.pieces] };
      },
    },
  ],
]);

/** Models that the demo offers; it answers under every other name, too. */
export const DEMO_MODELS: readonly string[] = ["demo", ...SCENARIOS.keys()];

/** The scenario of a model's name; any other name gets an ordinary answer. */
export function chooseScenario(model: string): Scenario {
  return SCENARIOS.get(model)?.play ?? answer;
}

function answer({ question }: DemoRequest): Script {
  return speak(findPassage(question) ?? describeDemo());
}

function speak(text: string): Script {
  return { pieces: say(DISCLAIMER + text), ending: "stop", pace: NORMAL };
}

/** Goes wrong, but not a second time: who is asked to go on does so to the end. */
function begin(request: DemoRequest, ending: "error" | "cut"): Script {
  const script = answer(request);
  if (request.said !== "") return script;
  return { ...script, pieces: [...script.pieces].slice(0, TOKENS_BEFORE_TROUBLE), ending };
}

function useTools({ tools, toolResult }: DemoRequest): Script {
  if (toolResult !== undefined)
    return speak(`The tool gave \`${toolResult}\` 🔧 — that is all I needed.`);
  const [tool] = tools;
  if (tool === undefined) {
    return speak("This scenario calls a tool, but the request offered none in `tools`.");
  }
  return { pieces: callTool(tool), ending: "tool_calls", pace: NORMAL };
}

function think({ question }: DemoRequest): readonly Piece[] {
  const words = question.split(/\s+/).filter((word) => word !== "").length;
  const thought =
    `The question has ${words} ${words === 1 ? "word" : "words"}. ` +
    "I look for the passage of my small text that shares most with it, and read that out.";
  return splitTokens(thought).map((token) => ({ reasoning_content: token }));
}

/** The demo about itself: what can be asked, and what can be tried. */
function describeDemo(): string {
  const topics = PASSAGES.map(({ topic }) => `- ${topic}`).join("\n");
  const models = [...SCENARIOS].map(([name, { about }]) => `- \`${name}\` ${about}`).join("\n");
  return (
    "I know a little about Sluice and nothing else 😊 Ask me about one of these:\n\n" +
    `${topics}\n\nOr name one of these as the model, to see how a stream behaves:\n\n${models}\n`
  );
}

function* say(text: string): Generator<Piece, void, undefined> {
  for (const token of splitTokens(text)) yield { content: token };
}

function* recite(lines: number): Generator<Piece, void, undefined> {
  yield* say(DISCLAIMER);
  for (let line = 0; line < lines; line += 1) {
    const text = PASSAGES[line % PASSAGES.length]?.text ?? "";
    yield* say(`${line + 1}. ${text.replaceAll(/\s+/g, " ")}\n`);
  }
}

function* count(): Generator<Piece, void, undefined> {
  yield* say(`${DISCLAIMER}I count until you stop me: `);
  for (let number = 1; ; number += 1) yield { content: number === 1 ? "1" : `, ${number}` };
}
