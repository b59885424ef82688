// An answer as it is written, with nothing but fetch: in Node, Deno, Bun and browsers.
const body = JSON.stringify({ messages: [{ role: "user", content: "What is Sluice?" }] });
const { body: answer } = await fetch("http://localhost:8787/api/chat", { method: "POST", body });
let rest = "";
for await (const piece of answer.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + piece).split("\n");
  rest = lines.pop();
  for (const line of lines.filter((line) => line.startsWith("data: "))) console.log(line.slice(6));
}
