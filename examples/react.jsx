import { useEffect, useState } from "react";
import { createClient } from "sluice/client";

const client = createClient({ url: "http://localhost:8787" });

export function Lobby() {
  const [messages, setMessages] = useState([]);
  useEffect(() => {
    const room = client.room("lobby", { history: 10 });
    room.subscribe((item) => {
      if (item.kind === "message") setMessages((before) => [...before, item]);
    });
    return () => room.close();
  }, []);
  return messages.map(({ id, payload }) => <p key={id}>{payload.text}</p>);
}
