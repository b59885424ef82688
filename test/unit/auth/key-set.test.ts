import { describe, expect, it } from "vitest";
import { type KeySetDeps, KeySets } from "../../../src/auth/key-set.ts";
import {
  KEY_SET_REFETCH_MS,
  KEY_SET_RETRY_MS,
  KEY_SET_TIMEOUT_MS,
  KEY_SET_TTL_MS,
  MAX_KEY_SET_BYTES,
} from "../../../src/protocol/limits.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

const URL = "https://issuer.example/jwks.json";
const jwks = (...kids: readonly string[]) => ({ keys: kids.map((kid) => ({ kty: "EC", kid })) });
const never = new Promise<never>(() => {});

/** An issuer that answers as it is told, and key sets that read from it. */
function makeIssuer(answer: KeySetDeps["fetch"]) {
  const clock = new FakeClock();
  const issuer = { answer, asked: [] as string[], signals: [] as (AbortSignal | undefined)[] };
  const keySets = new KeySets({
    clock,
    fetch: async (address, init) => {
      issuer.asked.push(address);
      issuer.signals.push(init.signal ?? undefined);
      return await issuer.answer(address, init);
    },
  });
  const held: Promise<unknown>[] = [];
  const find = async (kid: string, url = URL): Promise<unknown> =>
    (await keySets.find(url, kid, (work) => held.push(work))).map((key) => key.kid);
  return { clock, issuer, held, find };
}

const refused = (detail: string) => ({
  code: "auth_unavailable",
  detail: expect.stringContaining(detail) as string,
  retryAfter: KEY_SET_RETRY_MS / 1000,
});

describe("[E2][I8] key sets", () => {
  it("[E2] one fetch serves everybody until the set is old", async () => {
    const { clock, issuer, find } = makeIssuer(async () => Response.json(jwks("a", "b")));
    expect(await find("a")).toEqual(["a", "b"]);
    await clock.advance(KEY_SET_TTL_MS - 1);
    expect(await find("b")).toEqual(["a", "b"]);
    expect(issuer.asked).toEqual([URL]);
    issuer.answer = async () => Response.json(jwks("b"));
    await clock.advance(1);
    // The issuer took it back.
    expect(await find("a")).toEqual(["b"]);
    expect(issuer.asked).toEqual([URL, URL]);
    expect(clock.armed).toBe(0);
  });

  it("[E2] one fetch serves everybody who waits for it", async () => {
    const answer = Promise.withResolvers<Response>();
    const { clock, issuer, held, find } = makeIssuer(async () => await answer.promise);
    const finds = Array.from({ length: 100 }, () => find("a"));
    await settle();
    answer.resolve(Response.json(jwks("a")));
    for (const found of await Promise.all(finds)) expect(found).toEqual(["a"]);
    expect([issuer.asked.length, held.length, clock.armed]).toEqual([1, 1, 0]);
  });

  it("[E2] an unknown key is looked for, but not for ever", async () => {
    const { clock, issuer, find } = makeIssuer(async () => Response.json(jwks("a")));
    await find("a");
    issuer.answer = async () => Response.json(jwks("a", "new"));
    await clock.advance(KEY_SET_REFETCH_MS - 1);
    expect(await find("new")).toEqual(["a"]);
    expect(issuer.asked).toHaveLength(1);
    await clock.advance(1);
    expect(await find("new")).toEqual(["a", "new"]);
    for (let made = 0; made < 100; made += 1) await find(`made-up-${made}`);
    expect(issuer.asked).toHaveLength(2);
  });

  it("[E2] addresses are kept apart", async () => {
    const { find } = makeIssuer(async (address) => Response.json(jwks(address)));
    expect(await find("x", "https://one.example")).toEqual(["https://one.example"]);
    expect(await find("x", "https://two.example")).toEqual(["https://two.example"]);
  });

  it.each<readonly [string, string, () => Promise<Response>]>([
    ["unreachable", "could not be fetched", () => Promise.reject(new Error("secret address"))],
    ["an error", "status 500", async () => new Response("secret trace", { status: 500 })],
    ["a page", "is not a JSON Web Key Set", async () => new Response("<html>")],
    ["a list", "is not a JSON Web Key Set", async () => Response.json([])],
    ["no list", "is not a JSON Web Key Set", async () => Response.json({ keys: { a: 1 } })],
    ["nothing", "is not a JSON Web Key Set", async () => new Response(null)],
    [
      "huge",
      "is not a JSON Web Key Set",
      async () => new Response(`${JSON.stringify(jwks("a"))}${" ".repeat(MAX_KEY_SET_BYTES)}`),
    ],
  ])("[E2][I9] an issuer that is %s is said to be so, and soon asked again", async (...row) => {
    const [, detail, answer] = row;
    const { clock, issuer, find } = makeIssuer(answer);
    await expect(find("a")).rejects.toMatchObject(refused(detail));
    await expect(find("a")).rejects.toMatchObject(refused(detail));
    expect([issuer.asked.length, clock.armed]).toEqual([1, 0]);
    issuer.answer = async () => Response.json(jwks("a"));
    await clock.advance(KEY_SET_RETRY_MS);
    expect(await find("a")).toEqual(["a"]);
  });

  it("[E2] known keys go on counting while the issuer is away, until they are old", async () => {
    const { clock, issuer, find } = makeIssuer(async () => Response.json(jwks("a")));
    await find("a");
    issuer.answer = () => Promise.reject(new Error("away"));
    await clock.advance(KEY_SET_REFETCH_MS);
    await expect(find("new")).rejects.toMatchObject(refused("could not be fetched"));
    expect(await find("a")).toEqual(["a"]);
    await clock.advance(KEY_SET_TTL_MS);
    await expect(find("a")).rejects.toMatchObject(refused("could not be fetched"));
  });

  it.each<readonly [string, () => Promise<Response>]>([
    ["an answer", async () => await never],
    ["the end of one", async () => new Response(new ReadableStream({ pull: () => never }))],
  ])("[E2][I7] nobody waits longer than the limit for %s", async (_name, answer) => {
    const { clock, issuer, find } = makeIssuer(answer);
    const found = find("a").catch((error: unknown) => error);
    await clock.advance(KEY_SET_TIMEOUT_MS - 1);
    expect(issuer.signals[0]?.aborted).toBe(false);
    await clock.advance(1);
    expect(await found).toMatchObject(refused("did not arrive in time"));
    expect(issuer.signals[0]?.aborted).toBe(true);
    expect(clock.armed).toBe(0);
    // The fetch may have died with the request that began it: it holds up nobody for good.
    issuer.answer = async () => Response.json(jwks("a"));
    expect(await find("a")).toEqual(["a"]);
  });

  it("[E2] keys of unknown kinds are left out", async () => {
    const keys = [null, 7, {}, { kid: "a" }, { kty: "EC" }, { kty: "EC", kid: "good", more: 1 }];
    const { find } = makeIssuer(async () => Response.json({ keys }));
    expect(await find("good")).toEqual(["good"]);
  });
});
