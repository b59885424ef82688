/** Owns the suite as a program for Deno and Bun: addresses are its arguments, results its lines. */
import { argv, exit, stdout } from "node:process";
import { report } from "./report.ts";

const [url = "", brokenUrl = "", cutUrl = ""] = argv.slice(2);
for await (const result of report({ url, brokenUrl, cutUrl })) {
  await new Promise<void>((resolve) => {
    stdout.write(`${JSON.stringify(result)}\n`, () => {
      resolve();
    });
  });
}
// Connections that are kept for another request would keep the program, too.
exit(0);
