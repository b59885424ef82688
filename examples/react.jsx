import { createClient } from "sluice/client";
import { SluiceProvider, useRoom } from "sluice/react";

const client = createClient({ url: "http://localhost:8787" });

function Messages() {
  const { items } = useRoom("lobby", { history: 10 });
  const messages = items.filter(({ kind }) => kind === "message");
  return messages.map(({ id, payload }) => <p key={id}>{payload.text}</p>);
}

export const Lobby = () => (
  <SluiceProvider client={client}>
    <Messages />
  </SluiceProvider>
);
