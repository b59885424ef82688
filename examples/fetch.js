// An answer as it is written, with nothing but fetch: in Node, Deno, Bun and browsers.
const body = JSON.stringify({ messages: [{ role: "user", content: "What is Sluice?" }] });
const response = await fetch("http://localhost:8787/api/chat", { method: "POST", body });
if (!response.ok) throw new Error(await response.text());
let [rest, last] = ["", ""];
for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + piece).split("\n");
  rest = lines.pop();
  for (const line of lines.filter((line) => line.startsWith("data: "))) {
    console.log((last = line.slice(6)));
  }
}
if (last !== "[DONE]") throw new Error(`The answer is not complete: ${last}`);
