import { createElement as h, type ReactElement } from "react";
import { renderToString } from "react-dom/server";
import { expect, test } from "vitest";
import { createClient } from "../../../src/client/index.ts";
import {
  SluiceProvider,
  useAnswer,
  usePresence,
  useRoom,
  useTopic,
} from "../../../src/client/react/index.ts";

function Page(): ReactElement {
  const topic = useTopic(["a", "b"]);
  const room = useRoom("lobby", { member: "ann", history: 20, presence: { typing: true } });
  const { count } = usePresence("lobby", { member: "ann" });
  const answer = useAnswer({ id: "gen_1" });
  const shown = [topic.state.kind, topic.items.length, room.state.kind, room.pending, count];
  return h("p", null, [...shown, answer.status, answer.text].join(" "));
}

test("[E1] on a server components show nothing yet, and touch no network", () => {
  const refuse = (): never => {
    throw new Error("A server renders and does not connect.");
  };
  const client = createClient({
    url: "http://localhost:1",
    fetch: refuse,
    WebSocket: refuse as never,
    token: refuse,
  });
  const page = h(SluiceProvider, { client }, h(Page));
  expect(renderToString(page)).toBe("<p>idle 0 idle 0 0 idle </p>");
});

test("[E1] without a provider a component says what is missing", () => {
  expect(() => renderToString(h(Page))).toThrow("There is no SluiceProvider");
});
