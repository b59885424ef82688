// Writes docs/client-api.md from the declarations of the built package: everything that can be imported,
// with its comment, and what these name. Refuses what has no comment, and a page on which something named is missing or
// empty. With --check it writes nothing and fails where it would have.
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
  "sluice/yjs": "yjs/index",
  "sluice/yjs/awareness": "yjs/awareness",
  "sluice/react": "react/index",
  "sluice/ai": "ai/index",
};

/**
 * What a declaration looks like as the compiler writes it: a comment, then all up to the next at the margin. A comment
 * alone at the margin is none: those of a union's members stand there, too.
 */
const DECLARATION =
  /^(?:(\/\*\*(?:(?!\*\/)[^])*\*\/)\n)?(export )?(?:declare )?(?:abstract )?(?:interface|type|class|function|const) (\w+)[^]*?(?=^(?:\/\*\*(?:(?!\*\/)[^])*\*\/\n)?(?:export |import |interface |type |declare |\/\/#)|(?![^]))/gm;
const REEXPORT = /^export (?:type )?\{([^}]*)\} from "(.*)";$/gm;
const IMPORT = /^import (?:type )?\{([^}]*)\} from "(\..*)";$/gm;

const problems = [];

/** Each module's text is looked at once, so that the same declaration is the same object wherever it is found. */
const modules = new Map();

function open(module) {
  const known = modules.get(module);
  if (known !== undefined) return known;
  const text = readFileSync(`dist/package/client/${module}.d.ts`, "utf8");
  const declared = new Map();
  for (const [whole, comment, exported, name] of text.matchAll(DECLARATION)) {
    const code = whole.slice(comment?.length ?? 0).trim();
    declared.set(name, { module, name, comment, code, isExported: exported !== undefined });
  }
  const opened = { text, declared };
  modules.set(module, opened);
  return opened;
}

/** What a list in braces takes from which module, by the name that it gets. */
function* listed(module, pattern) {
  for (const [, names, from] of open(module).text.matchAll(pattern)) {
    const other = posix.join(posix.dirname(module), from.replace(/\.ts$/, ""));
    for (const item of names.split(",")) {
      const [name, as = name] = item
        .replace(/^\s*type /, "")
        .trim()
        .split(" as ");
      if (name !== "") yield { name, as, other };
    }
  }
}

/** The exports of a module by name, those of others included. */
function exportsOf(module) {
  const found = new Map();
  for (const { name, as, other } of listed(module, REEXPORT)) {
    const item = exportsOf(other).get(name);
    if (item !== undefined) found.set(as, item);
    else problems.push(`${module} exports ${name}, which ${other} does not have`);
  }
  for (const [name, item] of open(module).declared) if (item.isExported) found.set(name, item);
  return found;
}

/** Code without its comments and texts. */
function bare(code) {
  return code.replace(/\/\*[^]*?\*\/|"[^"\n]*"/g, "");
}

/** The declarations of this package that a declaration names. */
function namedBy({ module, name, code }) {
  const words = new Set(bare(code).match(/\b[A-Z]\w*\b/g));
  words.delete(name);
  const named = [...open(module).declared.values()].filter((item) => words.has(item.name));
  for (const { name: theirs, as, other } of listed(module, IMPORT)) {
    const item = words.has(as) ? exportsOf(other).get(theirs) : undefined;
    if (item !== undefined) named.push(item);
    else if (words.has(as)) problems.push(`${name} names ${as}, which ${other} does not have`);
  }
  return named;
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
/** What is on the page; a name means one thing there. */
const shown = new Map();

function show(items) {
  for (const item of items.toSorted((a, b) => a.name.localeCompare(b.name))) {
    const { module, name, comment, code } = item;
    if (comment === undefined) problems.push(`${module}: ${name} has no comment`);
    if (/[={]\s*;?$/.test(bare(code))) problems.push(`${module}: nothing is shown of ${name}`);
    if (shown.has(name)) problems.push(`${module}: ${name} is also the name of something else`);
    shown.set(name, item);
    fields += undocumentedFields(code);
    page += `\n### ${name}\n\n${comment === undefined ? "" : textOf(comment)}\n\n\`\`\`ts\n${code}\n\`\`\`\n`;
  }
}

for (const [entry, module] of Object.entries(ENTRIES)) {
  page += `\n## \`${entry}\`\n`;
  show([...exportsOf(module).values()]);
}

/** What they name and what that names, until nothing is missing. */
const named = new Set([...shown.values()].flatMap(namedBy));
for (const item of named) for (const further of namedBy(item)) named.add(further);
page += `\n## Named by the above\n\nWhat nobody has to import: it is there by what names it.\n`;
show([...named].filter((item) => shown.get(item.name) !== item));

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
