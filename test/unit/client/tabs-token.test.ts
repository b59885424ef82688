/** A leading tab whose token is no good, or another's: the other tabs go on with their own. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createClient } from "../../../src/client/index.ts";
import type { TokenFunction } from "../../../src/client/options.ts";
import { until } from "../../support/until.ts";

/** Servers of tests that run one after the other must not meet: locks and channels are the runtime's own. */
let servers = 0;

beforeEach(() => {
  // What of a page the client looks at.
  const page = new EventTarget();
  vi.stubGlobal("document", page);
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  servers += 1;
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const jwt = (sub: string, jti: string): string =>
  `${btoa("{}")}.${btoa(JSON.stringify({ sub, jti }))}.signature`;

/** A server that knows which tokens are good, and tabs that read one topic of it. */
function open() {
  const refused = new Set<string>();
  const streams = new Map<ReadableStreamDefaultController<Uint8Array>, string>();
  let events = 0;
  const fetch: typeof globalThis.fetch = (_, init) => {
    const token = (new Headers(init?.headers).get("authorization") ?? "").replace("Bearer ", "");
    if (refused.has(token)) {
      const problem = { code: "token_expired", detail: "It has." };
      return Promise.resolve(Response.json(problem, { status: 401 }));
    }
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        streams.set(controller, token);
        init?.signal?.addEventListener("abort", () => {
          streams.delete(controller);
          controller.error(init.signal?.reason);
        });
      },
    });
    return Promise.resolve(
      new Response(body, { headers: { "content-type": "text/event-stream" } }),
    );
  };
  const tab = (token: string | TokenFunction) => {
    const client = createClient({
      url: `http://sluice-${servers}.test`,
      token,
      fetch,
      random: () => 0,
    });
    const topic = client.topic("t");
    const items: unknown[] = [];
    topic.subscribe((item) => {
      items.push(item.kind === "message" ? item.data : item.kind);
    });
    const state = () => topic.state.get();
    return { client, items, state, isOpen: () => /live|catching-up/.test(state().kind) };
  };
  return {
    refused,
    tab,
    /** Whose token each open stream was asked for with. */
    readers: () => [...streams.values()],
    publish: () => {
      events += 1;
      const frame = new TextEncoder().encode(`id: p${events}\ndata: ${events}\n\n`);
      for (const controller of streams.keys()) controller.enqueue(frame);
    },
    /** The server says on all streams that their token is over, and ends them. */
    expire: () => {
      const event = `event: error\ndata: ${JSON.stringify({ code: "token_expired" })}\n\n`;
      for (const controller of streams.keys()) {
        controller.enqueue(new TextEncoder().encode(event));
        controller.close();
      }
      streams.clear();
    },
    /** The server ends all streams. */
    end: () => {
      for (const controller of streams.keys()) controller.close();
      streams.clear();
    },
  };
}

test.each(["refused", "not to be had"])(
  "[S7][E2] the leading tab's token is %s: the other tabs go on with theirs",
  async (how) => {
    const server = open();
    let isSignedOut = false;
    const first = jwt("ann", "1");
    const leader = server.tab(() => {
      if (isSignedOut) throw new Error("signed out");
      return first;
    });
    await until("one to lead", leader.isOpen);
    const others = [server.tab(jwt("ann", "2")), server.tab(jwt("ann", "3"))];
    await until("others to follow", () => others.every(({ isOpen }) => isOpen()));
    expect(server.readers()).toEqual([first]);
    server.refused.add(first);
    isSignedOut = how === "not to be had";
    server.end();
    await until(
      "others to go on",
      () => server.readers().length === 1 && others.every(({ isOpen }) => isOpen()),
      () => JSON.stringify([leader.state(), ...others.map(({ state }) => state())]),
    );
    server.publish();
    await until("others to read", () => others.every(({ items }) => items.length === 1));
    for (const { client } of [leader, ...others]) client.close();
  },
);

test("[S7][E2] the leading tab's token is another person's from now on: it reads for nobody else with it", async () => {
  const server = open();
  let own = jwt("ann", "1");
  const leader = server.tab(() => own);
  await until("one to lead", leader.isOpen);
  const other = server.tab(jwt("ann", "2"));
  await until("the other to follow", other.isOpen);
  server.refused.add(own);
  own = jwt("bob", "1");
  server.end();
  await until(
    "both to read",
    () => server.readers().length === 2,
    () => JSON.stringify([server.readers(), leader.state(), other.state()]),
  );
  expect(server.readers().toSorted()).toEqual([own, jwt("ann", "2")].toSorted());
  for (const { client } of [leader, other]) client.close();
});

test("[S7][E2] a tab that is alone is told that its token is refused", async () => {
  const server = open();
  const token = jwt("ann", "1");
  const tab = server.tab(token);
  await until("it to read", tab.isOpen);
  server.refused.add(token);
  server.end();
  await until("it to be told", () => tab.state().kind === "closed");
  expect(tab.state()).toMatchObject({ because: "token_expired" });
});

test("[S7][E2] tokens of several leading tabs are refused, one after the other: the tab with a good one reads on", async () => {
  const server = open();
  const tokens = ["1", "2", "3"].map((id) => jwt("ann", id));
  const tabs: ReturnType<typeof server.tab>[] = [];
  for (const token of tokens) {
    const tab = server.tab(token);
    await until("it to read", tab.isOpen);
    tabs.push(tab);
  }
  for (const token of tokens.slice(0, 2)) server.refused.add(token);
  server.end();
  await until("the last to lead", () => server.readers()[0] === tokens[2]);
  await until("it to read", () => tabs[2]?.isOpen() === true);
  for (const { client } of tabs) client.close();
});

test("[S7][E2] a leading tab that gets a new token each time goes on leading", async () => {
  const server = open();
  let count = 1;
  const leader = server.tab(() => jwt("ann", String(count)));
  await until("one to lead", leader.isOpen);
  const other = server.tab(jwt("ann", "other"));
  await until("the other to follow", other.isOpen);
  for (const next of [2, 3]) {
    server.refused.add(jwt("ann", String(count)));
    count = next;
    server.end();
    await until("the other to go on", () => server.readers().length === 1 && other.isOpen());
    expect(server.readers()).toEqual([jwt("ann", String(next))]);
  }
  for (const { client } of [leader, other]) client.close();
});

test("[S7][E2] the leading tab's token ends: another tab comes back without a new token of its own", async () => {
  const server = open();
  const asked = { leader: 0, other: 0 };
  const tokenOf = (who: keyof typeof asked) => () => {
    asked[who] += 1;
    return jwt("ann", `${who} ${asked[who]}`);
  };
  const leader = server.tab(tokenOf("leader"));
  await until("one to lead", leader.isOpen);
  const other = server.tab(tokenOf("other"));
  await until("the other to follow", other.isOpen);
  server.expire();
  await until("the leader to have another", () => server.readers()[0] === jwt("ann", "leader 2"));
  await until("both to be back", () => leader.isOpen() && other.isOpen());
  server.publish();
  await until("both to read", () => [leader, other].every(({ items }) => items.length === 1));
  expect(server.readers()).toEqual([jwt("ann", "leader 2")]);
  // It was not its own that was refused.
  expect(asked).toEqual({ leader: 2, other: 1 });
  for (const { client } of [leader, other]) client.close();
});
