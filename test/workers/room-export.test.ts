import { describe, expect, it } from "vitest";
import { call, post, postMany } from "../support/room-http.ts";

const NDJSON = { accept: "application/x-ndjson" };

interface Line {
  readonly payload?: { readonly n: number };
  readonly gap?: { readonly reason: string; readonly from: string; readonly to: string };
}

/** The body as text; `text()` would warn of a type that is not `text/…`. */
async function textOf(response: Response): Promise<string> {
  return new TextDecoder().decode(await response.arrayBuffer());
}

const parse = (text: string): readonly Line[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

/** Fills a room with messages of about a hundred bytes, many to a row. */
async function fill(room: string, count: number): Promise<void> {
  for (let n = 0; n < count; n += 250) {
    const body = Array.from({ length: Math.min(250, count - n) }, (_, index) => ({
      event: "tick",
      payload: { n: n + index, text: "compressible ".repeat(5) },
    }));
    await post(room, body);
  }
}

describe("[B4] exporting a room", () => {
  it("[B4] gives every message once, in order, a line each", async () => {
    await fill("export", 5_000);
    const response = await call("export/messages", { headers: NDJSON });
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    expect(response.headers.get("content-encoding")).toBeNull();
    const lines = parse(await textOf(response));
    expect(lines.map(({ payload }) => payload?.n)).toEqual(
      Array.from({ length: 5_000 }, (_, n) => n),
    );
  });

  it("[B4] [P1] is compressed for who accepts it", async () => {
    await fill("zipped", 2_000);
    const headers = { ...NDJSON, "accept-encoding": "gzip" };
    const response = await call("zipped/messages", { headers });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(parse(await textOf(response))).toHaveLength(2_000);
    const raw = await call("zipped/messages", { headers, encodeResponseBody: "manual" });
    const bytes = await raw.arrayBuffer();
    expect(new Uint8Array(bytes).subarray(0, 2)).toEqual(Uint8Array.of(0x1f, 0x8b));
    const plain = new Response(bytes).body?.pipeThrough(new DecompressionStream("gzip"));
    const text = await textOf(new Response(plain));
    expect(parse(text)).toHaveLength(2_000);
    expect(bytes.byteLength).toBeLessThan(text.length / 5);
  });

  it("[B4] begins after a position, also in the middle of a row", async () => {
    await fill("after", 600);
    const first = await call("after/messages?limit=1");
    const { next } = await first.json<{ next: string }>();
    const [epoch] = next.split("_");
    const response = await call(`after/messages?after=${epoch}_0000000000000301`, {
      headers: NDJSON,
    });
    expect(parse(await textOf(response)).map(({ payload }) => payload?.n)).toEqual(
      Array.from({ length: 299 }, (_, n) => 301 + n),
    );
  });

  it("[I4] P56 says in a line of its own what is lost", async () => {
    await postMany("short:export", 100);
    const response = await call("short:export/messages?after=elsewhere_0000000000000001", {
      headers: NDJSON,
    });
    const [{ gap } = {}, ...rest] = parse(await textOf(response));
    expect(gap?.reason).toBe("epoch");
    expect(rest.length).toBe(100 - Number(gap?.to.split("_")[1]));
  });

  it("[B4] [I7] stops when its reader goes", async () => {
    await fill("left", 5_000);
    const response = await call("left/messages", { headers: NDJSON });
    const reader = response.body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    await reader?.cancel();
    // The room is as it was.
    await fill("left", 1);
  });

  it("[B4] answers an empty room with nothing", async () => {
    const response = await call("nothing/messages", { headers: NDJSON });
    expect([response.status, await textOf(response)]).toEqual([200, ""]);
  });
});
