// Writes docs/client-api.md from the declarations of the built package: everything that can be imported,
// with its comment. Refuses what has none. With --check it writes nothing and fails where it would have.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const PAGE = "docs/client-api.md";
const ENTRIES = {
  "sluice/client": "index",
  "sluice/client/topic": "topic/index",
  "sluice/client/room": "room/index",
  "sluice/client/chat": "chat/index",
  "sluice/client/indexed-db": "outbox/indexed-db",
  "sluice/react": "react/index",
  "sluice/ai": "ai/index",
};

/** What a declaration looks like as the compiler writes it: a comment, then all up to the next at the margin. */
const DECLARATION =
  /^(?:(\/\*\*(?:(?!\*\/)[^])*\*\/)\n)?export (?:declare )?(interface|type|class|function|const) (\w+)[^]*?(?=^(?:\/\*\*|export |interface |type |declare |\/\/#)|(?![^]))/gm;
const REEXPORT = /^export (?:type )?\{([^}]*)\} from "(.*)";$/gm;

const problems = [];

function read(module) {
  return readFileSync(`dist/package/client/${module}.d.ts`, "utf8");
}

/** The exports of a module by name, those of others included. */
function exportsOf(module) {
  const text = read(module);
  const found = new Map();
  for (const [, names, from] of text.matchAll(REEXPORT)) {
    const other = exportsOf(posix.join(posix.dirname(module), from.replace(/\.ts$/, "")));
    for (const item of names.split(",")) {
      const name = item.replace(/^\s*type /, "").trim();
      if (name === "") continue;
      if (other.has(name)) found.set(name, other.get(name));
      else problems.push(`${module} exports ${name}, which ${from} does not have`);
    }
  }
  for (const [whole, comment, kind, name] of text.matchAll(DECLARATION)) {
    found.set(name, { comment, kind, code: whole.slice(comment?.length ?? 0).trim() });
  }
  return found;
}

/** The text of a comment, without its stars. */
function textOf(comment) {
  return comment
    .replace(/^\/\*\*|\*\/$/g, "")
    .replace(/^\s*\* ?/gm, "")
    .replace(/\{@link ([\w.]+)\}/g, "`$1`")
    .trim();
}

/** The fields of an interface that a reader has to guess at. */
function undocumentedFields(code) {
  const lines = code.split("\n");
  return lines.filter(
    (line, index) =>
      /^ {4}(?:readonly )?\w+[?(<:]/.test(line) &&
      !/^ *(\*\/|\/\*\*.*\*\/)$/.test(lines[index - 1]),
  ).length;
}

let page = `# The client's API

Written by \`npm run build:api\` from the source's comments. [client.md](client.md) is the page to begin with.
`;
let fields = 0;
for (const [entry, module] of Object.entries(ENTRIES)) {
  page += `\n## \`${entry}\`\n`;
  const order = [...exportsOf(module)].toSorted(([a], [b]) => a.localeCompare(b));
  for (const [name, { comment, code }] of order) {
    if (comment === undefined) problems.push(`${entry}: ${name} has no comment`);
    fields += undocumentedFields(code);
    page += `\n### ${name}\n\n${comment === undefined ? "" : textOf(comment)}\n\n\`\`\`ts\n${code}\n\`\`\`\n`;
  }
}

if (process.argv.includes("--check")) {
  const { stdout } = spawnSync("oxfmt", ["--stdin-filepath", PAGE], {
    input: page,
    encoding: "utf8",
  });
  if (stdout !== readFileSync(PAGE, "utf8"))
    problems.push(`${PAGE} is not of this source: npm run build:api`);
} else {
  writeFileSync(PAGE, page);
  spawnSync("oxfmt", [PAGE]);
}
console.log(
  `Client's API: ${page.match(/^### /gm).length} exports; fields that speak for themselves: ${fields}`,
);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
