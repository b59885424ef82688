/** The viewer's socket that travels with the call that starts an answer, and may be there before it. */
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import {
  DOOR_HEADER,
  PERMIT_HEADER,
  SLOTS_HEADER,
  START_HEADER,
  STARTING_HEADER,
} from "../../durable-objects/platform/headers.ts";
import { nameSlot } from "../../durable-objects/platform/slots.ts";
import { CLOSE } from "../../src/protocol/close-codes.ts";
import { parseServerFrame } from "../../src/protocol/parse-server-frame.ts";
import { encodePermit } from "../../src/protocol/permit.ts";
import { FIRST_VIEWER_MS } from "../../src/protocol/limits.ts";
import { encodeStart } from "../../src/protocol/reader-start.ts";
import { OWNER, startCall } from "../support/start-call.ts";
import { until } from "../support/until.ts";

const newObject = () => env.GENERATIONS.getByName(`gen_${crypto.randomUUID().replaceAll("-", "")}`);

type Stub = ReturnType<typeof newObject>;

const view = async (stub: Stub, attempt: string, more = {}): Promise<Response> =>
  await stub.fetch("https://object/", {
    headers: {
      ...more,
      upgrade: "websocket",
      [DOOR_HEADER]: "viewer",
      [PERMIT_HEADER]: encodePermit({ can: ["read"] }),
      [STARTING_HEADER]: attempt,
      [START_HEADER]: encodeStart("start"),
    },
  });

/** Accepts a socket; what comes over it, and the code that closes it. */
function listen({ webSocket }: Response): {
  readonly socket: WebSocket;
  readonly kinds: readonly string[];
  readonly code: () => number | undefined;
} {
  if (webSocket === null) throw new Error("no socket");
  webSocket.binaryType = "arraybuffer";
  const kinds: string[] = [];
  let closed: number | undefined;
  webSocket.addEventListener("message", ({ data }) => {
    if (data instanceof ArrayBuffer) kinds.push(parseServerFrame(data)?.kind ?? "?");
  });
  webSocket.addEventListener("close", ({ code }) => {
    closed = code;
  });
  webSocket.accept();
  return { socket: webSocket, kinds, code: () => closed };
}

it("[L4][P2] is accepted at once, and served when the answer begins", async () => {
  const stub = newObject();
  const viewer = listen(await view(stub, "a"));
  expect((await stub.start(startCall({ attempt: "a" }))).ok).toBe(true);
  await until("a token", () => viewer.kinds.includes("deliver"));
  expect(viewer.kinds.slice(0, 2)).toEqual(["welcome", "deliver"]);
  viewer.socket.close();
  await stub.cancel(OWNER);
});

it("[L4][I6] waits for its own start, also when an attempt before it has failed", async () => {
  const stub = newObject();
  const tooEarly = listen(await view(stub, "first"));
  // What JSON cannot carry: the attempt fails when it is to be written down.
  const unwritable = { promptChars: 2n as unknown as number };
  const failed = await stub.start(startCall({ attempt: "first", ...unwritable }));
  expect(failed).toMatchObject({ ok: false, code: "internal" });
  await until("the viewer of the failed one is sent away", () => tooEarly.code() !== undefined);
  expect([tooEarly.code(), tooEarly.kinds]).toEqual([CLOSE.roomGone.code, []]);
  // Also the viewer that comes when it has failed is told so, and does not wait for another.
  expect((await view(stub, "first")).status).toBe(404);
  const viewer = listen(await view(stub, "second"));
  expect((await stub.start(startCall({ attempt: "second" }))).ok).toBe(true);
  await until("a token", () => viewer.kinds.includes("deliver"));
  viewer.socket.close();
  await stub.cancel(OWNER);
});

it("[L4][I7] whose attempt fails keeps no slot, although nobody has taken the socket", async () => {
  const quota = env.QUOTAS.idFromName(`subject:${crypto.randomUUID()}`);
  const counter = env.QUOTAS.get(quota);
  const slot = { pool: "connections", kind: "generation", name: "any", until: null } as const;
  expect(await counter.open({ ...slot, id: "s", group: "s" }, 1)).toBe(true);
  const stub = newObject();
  // As of a Worker that is gone: it neither accepts nor closes it.
  const { webSocket } = await view(stub, "a", { [SLOTS_HEADER]: nameSlot(quota, "s") });
  const unwritable = { promptChars: 2n as unknown as number };
  expect((await stub.start(startCall({ attempt: "a", ...unwritable }))).ok).toBe(false);
  await until("the place is free", async () => {
    return await counter.open({ ...slot, id: "t", group: "t" }, 1);
  });
  webSocket?.accept();
});

it("[L4][I7] who has left before the answer begins is one who has left", async () => {
  const stub = newObject();
  const viewer = listen(await view(stub, "a"));
  viewer.socket.close();
  await until("it is closed", () => viewer.code() !== undefined);
  await stub.start(startCall({ attempt: "a", whenAbandoned: { kind: "cancel" } }));
  const beganAt = Date.now();
  await until("the answer is stopped", async () => {
    const found = await stub.describe(OWNER);
    return found.ok && found.value.end?.outcome === "stopped";
  });
  // And not when the time of those is over who never came.
  expect(Date.now() - beganAt).toBeLessThan(FIRST_VIEWER_MS);
});

it("[L4][I6] who is there before the answer begins watches it", async () => {
  const stub = newObject();
  const viewer = listen(await view(stub, "a"));
  await stub.start(startCall({ attempt: "a", whenAbandoned: { kind: "cancel" } }));
  await until("tokens", () => viewer.kinds.filter((kind) => kind === "deliver").length > 3);
  viewer.socket.close();
  const beganAt = Date.now();
  await until("the answer is stopped", async () => {
    const found = await stub.describe(OWNER);
    return found.ok && found.value.end?.outcome === "stopped";
  });
  // Nobody waits for a first viewer, who has been there.
  expect(Date.now() - beganAt).toBeLessThan(FIRST_VIEWER_MS);
});
