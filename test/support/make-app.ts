/** Owns the app inside a test's own process. Refuses to start anything. */
import { createApp } from "../../src/app.ts";
import type { Deps } from "../../src/deps.ts";
import { FakeClock } from "./fake-clock.ts";

/** The app with fakes for everything outside; what a test does not give fails when it is used. */
export function makeApp(deps: Partial<Deps> = {}): ReturnType<typeof createApp> {
  return createApp({
    clock: new FakeClock(),
    random: () => 0.5,
    newId: () => "id",
    fetch: () => Promise.reject(new Error("no network in this test")),
    upstreams: () => {
      throw new Error("no provider in this test");
    },
    log: () => {},
    ...deps,
  });
}
