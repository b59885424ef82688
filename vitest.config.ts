import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { ROOM_CLASSES } from "./test/support/room-classes.ts";

/** Real processes, sockets and a browser start on two slow cores. */
const END_TO_END_TIMEOUT_MS = 60_000;

/**
 * Files at a time: most wait for sockets and clocks more than they compute. Those that measure memory or
 * crowds of connections come last and alone, so that they measure themselves only.
 */
const AT_A_TIME = { maxWorkers: 4, sequence: { groupOrder: 0 } };
/** Files of a worker share what they import, which costs more than most of them do; none leaves anything in it. */
const TOGETHER = { ...AT_A_TIME, isolate: false };
const ALONE = { maxWorkers: 1, sequence: { groupOrder: 1 } };
const BUILD_WORKER = "./test/support/build-worker.ts";
const MEASURING = [
  "test/e2e/backpressure.test.ts",
  "test/e2e/disconnects.test.ts",
  "test/e2e/refused-bodies.test.ts",
  "test/e2e/rooms-stalled.test.ts",
  "test/e2e/rooms-storm.test.ts",
  "test/e2e/topic-patterns.test.ts",
];

/** Replaces the clock that a package takes when it is loaded, so nobody may have loaded it before. */
const OWN_MODULES = ["test/unit/client/yjs/awareness.test.ts"];

/** What a developer keeps in `.dev.vars` must not change what is tested; nothing is as good as unset. */
const UNSET = Object.fromEntries(
  Object.keys(existsSync(".dev.vars") ? parseEnv(readFileSync(".dev.vars", "utf8")) : {}).map(
    (name) => [name, ""],
  ),
);

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/totals-reporter.ts"],
    projects: [
      {
        test: {
          ...TOGETHER,
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          exclude: OWN_MODULES,
          testTimeout: 60_000,
        },
      },
      {
        test: {
          ...AT_A_TIME,
          name: "unit-isolated",
          include: OWN_MODULES,
          testTimeout: 60_000,
        },
      },
      {
        test: {
          ...TOGETHER,
          name: "fuzz",
          include: ["test/fuzz/**/*.test.ts"],
          globalSetup: [BUILD_WORKER],
          testTimeout: 60_000,
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings: { ...UNSET, ROOM_CLASSES: JSON.stringify(ROOM_CLASSES) } },
          }),
        ],
        test: {
          ...AT_A_TIME,
          name: "workers",
          include: ["test/workers/**/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          ...TOGETHER,
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: MEASURING,
          globalSetup: [BUILD_WORKER],
          setupFiles: ["./test/support/watch-errors.ts"],
          testTimeout: END_TO_END_TIMEOUT_MS,
          hookTimeout: END_TO_END_TIMEOUT_MS,
        },
      },
      {
        test: {
          ...ALONE,
          name: "measuring",
          include: MEASURING,
          globalSetup: [BUILD_WORKER],
          setupFiles: ["./test/support/watch-errors.ts"],
          testTimeout: END_TO_END_TIMEOUT_MS,
          hookTimeout: END_TO_END_TIMEOUT_MS,
        },
      },
      {
        test: {
          ...TOGETHER,
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          globalSetup: [BUILD_WORKER, "./test/support/unpack-browser.ts"],
          testTimeout: END_TO_END_TIMEOUT_MS,
          hookTimeout: END_TO_END_TIMEOUT_MS,
        },
      },
    ],
  },
});
