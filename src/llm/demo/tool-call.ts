/** Owns the calling of tools by the demo. Refuses to know what a tool does. */
import type { DemoTool } from "./demo-request.ts";
import { sampleValue } from "./sample.ts";
import type { Piece, ToolCallPiece } from "./script.ts";
import { hashText } from "./tokens.ts";

/** Characters of the arguments in one piece: short, because clients must join them. */
const ARGUMENT_CHARS = 8;

/** A call of the tool, its arguments invented from its schema and cut into several pieces. */
export function callTool(tool: DemoTool): readonly Piece[] {
  const json = JSON.stringify(sampleValue(tool.parameters) ?? {});
  const id = `call_${hashText(`${tool.name}\n${json}`)}`;
  const opening = { index: 0, id, type: "function" } as const;
  return [
    toolPiece({ ...opening, function: { name: tool.name, arguments: "" } }),
    ...cut(json).map((part) => toolPiece({ index: 0, function: { arguments: part } })),
  ];
}

/** Cut between code points: a lone surrogate would not survive the encoding. */
function cut(text: string): readonly string[] {
  return text.match(new RegExp(`[^]{1,${ARGUMENT_CHARS}}`, "gu")) ?? [];
}

function toolPiece(call: ToolCallPiece): Piece {
  return { tool_calls: [call] };
}
