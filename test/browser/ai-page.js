/**
 * Owns a page with the AI SDK's `useChat` over Sluice's transport, in React's StrictMode. Refuses to
 * know what happens to the network.
 */
import { useChat } from "@ai-sdk/react";
import { StrictMode, createElement as h, useEffect } from "react";
import { createRoot } from "react-dom/client";
import { SluiceChatTransport } from "../../src/client/ai/index.ts";

const id = new URLSearchParams(location.search).get("chat");
const stored = JSON.parse(localStorage.getItem(id) ?? "[]");
const transport = new SluiceChatTransport({ url: location.origin });

function textOf({ parts }) {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

function Chat() {
  const { messages, sendMessage, status, error } = useChat({
    id,
    messages: stored,
    resume: true,
    transport,
  });
  useEffect(() => {
    localStorage.setItem(id, JSON.stringify(messages.filter(({ role }) => role === "user")));
  }, [messages]);
  return h(
    "main",
    null,
    h("output", { id: "status" }, status),
    h("output", { id: "error" }, error?.message ?? ""),
    messages.map((message) =>
      h("p", { key: message.id, className: message.role, id: message.id }, textOf(message)),
    ),
    h("button", { id: "send", onClick: () => sendMessage({ text: "Hi" }) }, "Send"),
    h("button", { id: "stop", onClick: () => transport.stop(id) }, "Stop"),
  );
}

createRoot(document.querySelector("#root")).render(h(StrictMode, null, h(Chat)));
