// An answer that survives the connection: deno run --allow-net examples/deno.ts
import { createClient } from "sluice/client";
const client = createClient({ url: "http://localhost:8787" });
const answer = client.chat({ messages: [{ role: "user", content: "What is Sluice?" }] });
let text = "";
for await (const delta of answer) if (delta.kind === "text") text += delta.text;
const { state, usage } = await answer.end;
console.log(`${text}\n(${answer.id}: ${state}, ${usage?.completion_tokens} tokens)`);
