import type { Reporter, TestModule, Vitest } from "vitest/node";

/**
 * Ends a run with the counts of every project together, alone on a line. Files that failed to load
 * have no tests but are failures all the same. A skipped test proves nothing, so it fails the run,
 * unless tests were chosen by name.
 */
export default class TotalsReporter implements Reporter {
  #choosing = false;

  onInit({ config }: Vitest): void {
    this.#choosing = config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandled.length;
    let skipped = 0;
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) {
        const { state } = test.result();
        if (state === "passed") passed += 1;
        else if (state === "failed") failed += 1;
        else skipped += 1;
      }
      if (module.state() === "failed" && !tests.some((test) => test.result().state === "failed")) {
        failed += 1;
      }
    }
    const more = skipped === 0 ? "" : `, ${skipped} skipped`;
    // After the other reporters' summaries, whatever order they are called in.
    process.once("exit", () => {
      if (skipped > 0 && !this.#choosing) process.exitCode ||= 1;
      console.log(`${passed} passed, ${failed} failed${more}`);
    });
  }
}
