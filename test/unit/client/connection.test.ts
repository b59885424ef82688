/** A connection over a transport, a clock and a page that a test holds in its hand. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Connection, connectionOf } from "../../../src/client/connection/connection.ts";
import { contextOf } from "../../../src/client/context.ts";
import type { TokenFunction } from "../../../src/client/options.ts";
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

function open(
  change: Partial<Transport<undefined, never, never>> & { token?: TokenFunction } = {},
) {
  const clock = new FakeClock();
  const told: string[] = [];
  let given = 0;
  const { token = () => `token-${(given += 1)}` } = change;
  const context = contextOf({ url: "http://sluice.test", token, clock, random: () => 0.5 });
  let line: LinkObserver<never> | undefined;
  const transport: Transport<undefined, never, never> = {
    open(attempt, observer) {
      line = observer;
      attempt.token().then(
        (shown) => told.push(`open ${String(shown)}`),
        () => {
          observer.failed({ code: "token", message: "", reconnect: "backoff" });
        },
      );
      return {
        send() {},
        probe: () => told.push("probe"),
        close: () => told.push("drop"),
      };
    },
    ...change,
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

test("[E2] a token that was refused is not shown again because the next could not be had at first", async () => {
  let asked = 0;
  const token = (): string => {
    asked += 1;
    if (asked === 2) throw new Error("not now");
    return `token-${asked}`;
  };
  const { clock, told, connection, observer } = open({ token });
  connection.start();
  await settle();
  observer().failed(REFUSED);
  await settle();
  expect(connection.state.get()).toMatchObject({ kind: "waiting", because: "token" });
  await clock.advance(1_000);
  expect(told).toEqual(["open token-1", "open token-3"]);
});

test.each(["pagehide", "freeze"])(
  "[W3][S7] a page that is told %s gives its connection up, waits for another, and wants it soon when it is shown",
  async (how) => {
    const { clock, told, connection, observer } = open();
    const leave = (): void => {
      (how === "freeze" ? page : scope).dispatchEvent(new Event(how));
    };
    // Nothing is given up where nothing is.
    leave();
    expect([told, connection.state.get().kind]).toEqual([[], "idle"]);
    connection.start();
    await settle();
    observer().opened(false);
    told.length = 0;
    leave();
    const waiting = connection.state.get();
    expect(waiting).toMatchObject({ kind: "waiting", because: "page_left" });
    expect(told).toEqual(["lost", "drop"]);
    // It says so twice: the page is frozen after it was left.
    leave();
    expect(connection.state.get()).toBe(waiting);
    await clock.advance(500);
    expect([connection.state.get().kind, clock.armed]).toEqual(["connecting", 0]);
    // On its way is no better.
    leave();
    expect(connection.state.get()).toMatchObject({ kind: "waiting", because: "page_left" });
    for (let lost = 0; lost < 5; lost += 1) {
      await clock.advance(30_000);
      observer().failed(LOST);
    }
    page.dispatchEvent(new Event("visibilitychange"));
    expect(connection.state.get()).toMatchObject({ until: clock.now() + 500, because: "network" });
    connection.stop("closed", "");
    told.length = 0;
    leave();
    await settle();
    expect([told, clock.armed, connection.state.get().kind]).toEqual([[], 0, "closed"]);
  },
);

test("[I7] a transport that throws ends the connection, which says so and holds nothing", async () => {
  const { clock, told, connection } = open({
    open() {
      throw new Error("no such room");
    },
  });
  connection.start();
  expect(connection.state.get()).toEqual({
    kind: "closed",
    because: "bad_transport",
    message: "Error: no such room",
  });
  scope.dispatchEvent(new Event("online"));
  await settle();
  expect([told, clock.armed]).toEqual([["bad_transport"], 0]);
});

test("[W3] a transport may tell at once that it is open, or that it failed", async () => {
  const link = { send() {}, probe() {}, close() {} };
  const { connection, clock } = open({
    open(_, observer) {
      if (connection.state.get().kind === "idle") observer.failed(LOST);
      else observer.opened(false);
      return link;
    },
  });
  connection.start();
  expect(connection.state.get()).toMatchObject({ kind: "waiting", because: "network" });
  await clock.advance(500);
  expect(connection.state.get().kind).toBe("live");
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
