/** A connection over a transport, a clock and a page that a test holds in its hand. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Connection, connectionOf } from "../../../src/client/connection/connection.ts";
import { contextOf } from "../../../src/client/context.ts";
import type { Failure, LinkObserver, Transport } from "../../../src/client/transport.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

const LOST: Failure = { code: "network", message: "", reconnect: "backoff" };
const REFUSED: Failure = { code: "unauthorized", message: "", reconnect: "refresh" };

/** A page that can be hidden and a network that can go. */
const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
const scope = new EventTarget();

beforeEach(() => {
  vi.stubGlobal("document", page);
  vi.stubGlobal("navigator", { onLine: true });
  vi.stubGlobal("addEventListener", scope.addEventListener.bind(scope));
});

afterEach(() => {
  vi.unstubAllGlobals();
});

function open() {
  const clock = new FakeClock();
  const told: string[] = [];
  let given = 0;
  const token = (): string => `token-${(given += 1)}`;
  const context = contextOf({ url: "http://sluice.test", token, clock, random: () => 0.5 });
  let line: LinkObserver<never> | undefined;
  const transport: Transport<undefined, never, never> = {
    open(attempt, observer) {
      line = observer;
      void attempt.token().then((shown) => told.push(`open ${String(shown)}`));
      return {
        send() {},
        probe: () => told.push("probe"),
        close: () => told.push("drop"),
      };
    },
  };
  const connection: Connection<never> = connectionOf(context, transport, {
    resume: () => undefined,
    event() {},
    lost: () => told.push("lost"),
    closed: (because) => told.push(because),
  });
  const observer = (): LinkObserver<never> => {
    if (line === undefined) throw new Error("nothing was opened");
    return line;
  };
  return { clock, told, connection, observer };
}

test("[W2] a connection that stands is looked at when the network or the page returns", async () => {
  const { told, connection, observer } = open();
  connection.start();
  await settle();
  observer().opened(false);
  told.length = 0;
  scope.dispatchEvent(new Event("offline"));
  scope.dispatchEvent(new Event("online"));
  page.dispatchEvent(new Event("visibilitychange"));
  expect(told).toEqual(["probe", "probe", "probe"]);
  expect(connection.state.get().kind).toBe("live");
  connection.rest();
  scope.dispatchEvent(new Event("online"));
  expect(told.slice(3)).toEqual(["lost", "drop"]);
});

test("[E2] a refused token is replaced by the next attempt, and only by that", async () => {
  const { clock, told, connection, observer } = open();
  connection.start();
  await settle();
  observer().failed(REFUSED);
  await settle();
  observer().opened(false);
  // Refused again after a greeting: not at once, but still with another.
  observer().failed(REFUSED);
  expect(connection.state.get().kind).toBe("waiting");
  await clock.advance(500);
  observer().failed(LOST);
  await clock.advance(1_000);
  expect(told.filter((one) => one.startsWith("open"))).toEqual([
    "open token-1",
    "open token-2",
    "open token-3",
    "open token-3",
  ]);
});

test("[I7] an end gives up the link, the timer and the platform, and is told once", async () => {
  const { clock, told, connection, observer } = open();
  connection.start();
  await settle();
  observer().opened(true);
  expect(clock.armed).toBe(1);
  told.length = 0;
  connection.stop("closed", "");
  connection.stop("left", "");
  connection.start();
  scope.dispatchEvent(new Event("online"));
  await settle();
  expect([told, clock.armed]).toEqual([["lost", "drop", "closed"], 0]);
});
