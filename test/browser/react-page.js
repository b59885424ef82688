/**
 * Owns a page that uses every hook of `sluice/react` in StrictMode, and components that come and go.
 * Refuses to know what is published.
 */
import { StrictMode, createElement as h, useState } from "react";
import { createRoot } from "react-dom/client";
import { createClient } from "../../src/client/index.ts";
import {
  SluiceProvider,
  useAnswer,
  usePresence,
  useRoom,
  useTopic,
} from "../../src/client/react/index.ts";

const client = createClient({ url: location.origin });

const list = (id, items) => h("output", { id }, items.join(","));

function Feed({ id }) {
  const { items, state, publish } = useTopic("react-feed");
  return h(
    "section",
    null,
    list(
      id,
      items.filter(({ kind }) => kind === "message").map(({ data }) => data),
    ),
    h("output", { id: `${id}-state` }, state.kind),
    h("button", { id: `${id}-publish`, onClick: () => publish("tick", items.length) }, "Publish"),
  );
}

function Who() {
  const { count, members } = usePresence("react-room", { member: "ann" });
  return h("output", { id: "who" }, `${count} ${members.map(({ member }) => member).join()}`);
}

function Talk() {
  const { items, pending, publish } = useRoom("react-room", { member: "ann", history: 10 });
  return h(
    "section",
    null,
    list(
      "talk",
      items.filter(({ kind }) => kind === "message").map(({ payload }) => payload),
    ),
    h("output", { id: "pending" }, pending),
    h("button", { id: "say", onClick: () => publish("say", `m${items.length}`) }, "Say"),
  );
}

function Ask() {
  const { status, text, ask, stop } = useAnswer();
  const messages = [{ role: "user", content: "Hi" }];
  return h(
    "section",
    null,
    h("output", { id: "status" }, status),
    h("output", { id: "text" }, text),
    h("button", { id: "ask", onClick: () => ask({ messages }) }, "Ask"),
    h("button", { id: "stop", onClick: () => stop() }, "Stop"),
  );
}

function App() {
  const [isShown, show] = useState(true);
  return h(
    "main",
    null,
    h("button", { id: "toggle", onClick: () => show(!isShown) }, "Toggle"),
    isShown &&
      h("div", null, h(Feed, { id: "first" }), h(Feed, { id: "second" }), h(Who), h(Talk), h(Ask)),
  );
}

createRoot(document.querySelector("#root")).render(
  h(StrictMode, null, h(SluiceProvider, { client }, h(App))),
);
