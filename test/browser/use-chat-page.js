/**
 * Owns a page with nothing but the AI SDK's `useChat`, as its documentation says to use it: the chat's
 * name comes from the address, what the user wrote is kept by the page. Refuses to know Sluice.
 */
import { useChat } from "@ai-sdk/react";
import { createElement as h, useEffect } from "react";
import { createRoot } from "react-dom/client";

const id = new URLSearchParams(location.search).get("chat");
const stored = JSON.parse(localStorage.getItem(id) ?? "[]");

function textOf({ parts }) {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

function Chat() {
  const { messages, sendMessage, status, error } = useChat({ id, messages: stored, resume: true });
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
    h(
      "button",
      { id: "stop", onClick: () => fetch(`/api/chat/${id}/stop`, { method: "POST" }) },
      "Stop",
    ),
  );
}

createRoot(document.querySelector("#root")).render(h(Chat));
