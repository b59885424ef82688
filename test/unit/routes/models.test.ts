import { describe, expect, it } from "vitest";
import { makeApp } from "../../support/make-app.ts";

const app = makeApp();
const provider = { OPENAI_API_KEY: "key", OPENAI_MODEL: "ours" };

async function get(path: string, env: object): Promise<{ status: number; ids: string[] }> {
  const response = await app.request(`http://localhost${path}`, {}, env);
  const body: { id?: string; data?: { id: string }[] } = await response.json();
  return { status: response.status, ids: (body.data ?? [body]).map(({ id }) => id ?? "") };
}

describe("[E1][L1] the models that may be asked for", () => {
  it.each([
    ["the provider's one", provider, ["ours"]],
    ["those on the list", { ...provider, ALLOWED_MODELS: "b/c,a" }, ["b/c", "a", "ours"]],
    ["where any may be, the one that is known", { ...provider, ALLOWED_MODELS: "*" }, ["ours"]],
  ])("[E1] are %s", async (_what, env, ids) => {
    expect(await get("/v1/models", env)).toEqual({ status: 200, ids });
  });

  it("[E1] are the demo's scenarios where no provider is set", async () => {
    const { ids } = await get("/v1/models", {});
    expect(ids).toContain("demo");
    expect(ids).toContain("demo-endless");
  });

  it("[E1] are found by name, slashes and all, and nothing else is", async () => {
    const env = { ...provider, ALLOWED_MODELS: "b/c" };
    expect(await get("/v1/models/b/c", env)).toEqual({ status: 200, ids: ["b/c"] });
    expect(await get("/v1/models/b%2Fc", env)).toEqual({ status: 200, ids: ["b/c"] });
    expect((await get("/v1/models/another", env)).status).toBe(404);
    expect((await get("/v1/models/another", { ...env, ALLOWED_MODELS: "*" })).status).toBe(200);
  });
});
