// A member of a room: says hello, and shows what is said until it hears itself.
import { createClient } from "sluice/client";
const client = createClient({ url: "http://localhost:8787" });
const room = client.room("lobby", { history: 10 });
await room.publish("chat", { text: "Hello from Node" });
for await (const { kind, sender, payload } of room) {
  if (kind === "message") console.log(`${sender}: ${payload.text ?? payload}`);
  if (sender === room.member) break;
}
client.close();
