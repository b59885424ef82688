/**
 * Owns a folder as an application has it: the examples, and next to them the client, installed. Refuses to
 * know what the examples do.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";

/** The address that people who read the examples see. */
const PRINTED = "http://localhost:8787";

/** A folder that goes with its scope. */
export interface Project extends AsyncDisposable {
  readonly path: string;
}

/** Lays the examples down, with the running Worker's address, and whatever they import beside them. */
export async function openProject(origin: string): Promise<Project> {
  const path = await mkdtemp(join(tmpdir(), "sluice-examples-"));
  for (const name of await readdir("examples")) {
    const code = await readFile(join("examples", name), "utf8");
    await writeFile(join(path, name), code.replaceAll(PRINTED, origin));
  }
  const client = join(path, "node_modules/sluice");
  await mkdir(client, { recursive: true });
  await build({
    entryPoints: ["src/client/index.ts"],
    outfile: join(client, "client/bundle.min.js"),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    logLevel: "warning",
  });
  await build({
    entryPoints: ["src/client/react/index.ts"],
    outfile: join(client, "client/react/index.js"),
    bundle: true,
    external: ["react"],
    format: "esm",
    target: "es2022",
    logLevel: "warning",
  });
  const manifest = {
    name: "sluice",
    type: "module",
    exports: { "./client": "./client/bundle.min.js", "./react": "./client/react/index.js" },
  };
  await writeFile(join(client, "package.json"), JSON.stringify(manifest));
  await writeFile(
    join(path, "package.json"),
    JSON.stringify({ type: "module", dependencies: { sluice: "*" } }),
  );
  for (const name of ["vue", "react", "react-dom"]) {
    await symlink(resolve("node_modules", name), join(path, "node_modules", name));
  }
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true });
    },
  };
}
