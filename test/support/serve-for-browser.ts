/** Owns the running Worker of the browser tests. Refuses to know what is asked of it. */
import { createTestHarness } from "wrangler";

/** A running Worker; leaving the scope that holds it stops it. */
interface Served extends AsyncDisposable {
  readonly url: URL;
}

/**
 * Starts the real Worker with its real configuration on a free port of this machine, with the demo
 * as its model whatever the developer's own `.dev.vars` say.
 */
export async function serveForBrowser(secrets: Record<string, string> = {}): Promise<Served> {
  const harness = createTestHarness({
    workers: [
      {
        configPath: "./wrangler.toml",
        secrets: { OPENAI_API_KEY: "", OPENAI_BASE_URL: "", AUTH_SECRET: "", ...secrets },
      },
    ],
  });
  const { url } = await harness.listen();
  return {
    url,
    async [Symbol.asyncDispose]() {
      await harness.close();
    },
  };
}
