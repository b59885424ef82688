/**
 * Two tenants with tokens of their own, each at its own rooms, topics and answers and at the other's,
 * for some seconds: `HAMMER_SECONDS=60` makes it a minute.
 */
import { expect, test } from "vitest";
import { startWorker } from "../support/start-worker.ts";
import { mint, SECRET } from "../support/tokens.ts";
import { TokenSocket } from "../support/token-socket.ts";

const SECONDS = Number(process.env["HAMMER_SECONDS"] ?? "8");

test(
  "[E2][I8] two tenants hammer each other: nothing crosses",
  { timeout: SECONDS * 1_000 + 90_000 },
  async () => {
    await using worker = await startWorker({ AUTH_SECRET: SECRET });
    const end = Date.now() + SECONDS * 1_000;
    const figures = { own: 0, braked: 0, refused: 0, received: 0 };
    const published: Record<string, number> = { red: 0, blue: 0 };
    const answers: Record<string, string[]> = { red: [], blue: [] };
    const faults: string[] = [];
    let calls = 0;

    const can = (tenant: string) => ({
      [`rooms/${tenant}:**`]: ["read", "history", "publish", "presence", "direct"],
      [`topics/${tenant}:**`]: ["read", "history", "publish"],
      "generations/*": ["run", "read", "cancel"],
    });

    /** Calls as a fresh subject of the tenant, because one subject's calls are braked. */
    const call = async (
      tenant: string,
      method: string,
      path: string,
      body?: unknown,
      sub?: string,
    ) => {
      const token = await mint(can(tenant), { sub: sub ?? `${tenant}-${(calls += 1)}` });
      const response = await fetch(worker.origin + path, {
        method,
        // The address is braked too; in development its header may be anything.
        headers: { authorization: `Bearer ${token}`, "cf-connecting-ip": `192.0.2.${calls}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return {
        status: response.status,
        text: await response.text(),
        id: response.headers.get("sluice-generation"),
      };
    };

    const own = async (
      tenant: string,
      other: string,
      ...request: [string, string, unknown?, string?]
    ) => {
      const answer = await call(tenant, ...request);
      if (answer.status === 429) figures.braked += 1;
      else if (answer.status >= 400)
        faults.push(`${tenant} ${request[0]} ${request[1]}: ${answer.status}`);
      else figures.own += 1;
      if (answer.text.includes(`of-${other}`))
        faults.push(`${tenant} read what is ${other}'s at ${request[1]}`);
      return answer;
    };

    const cross = async (tenant: string, other: string, ...request: [string, string, unknown?]) => {
      const answer = await call(tenant, ...request);
      if (answer.text.includes(`of-${other}`)) faults.push(`${tenant} read ${request[1]}`);
      if (![403, 404, 429].includes(answer.status))
        faults.push(`${tenant} ${request[0]} ${request[1]}: ${answer.status}`);
      if (answer.status === 429) figures.braked += 1;
      else figures.refused += 1;
    };

    const attack = async (tenant: string, other: string): Promise<void> => {
      const sub = `${tenant}-member`;
      using member = await TokenSocket.join(
        `${worker.origin}/v1/rooms/${tenant}:hall`,
        await mint(can(tenant), { sub }),
      );
      for (let round = 0; Date.now() < end; round += 1) {
        const mark = `of-${tenant}`;
        if (round % 4 === 0) member.publish(`m${round}`, mark);
        const topic = await own(tenant, other, "POST", `/v1/topics/${tenant}:feed`, { data: mark });
        if (topic.status === 201) published[tenant] = (published[tenant] ?? 0) + 1;
        await own(tenant, other, "POST", `/v1/rooms/${tenant}:hall/messages`, {
          event: "chat",
          payload: mark,
        });
        await own(tenant, other, "GET", `/v1/topics/${tenant}:feed?limit=50`);
        await own(tenant, other, "GET", `/v1/rooms/${tenant}:hall/messages?limit=50`);
        if (round % 10 === 0) {
          const request = {
            messages: [{ role: "user", content: mark }],
            store: true,
            max_tokens: 1,
          };
          const asked = await own(tenant, other, "POST", "/v1/chat/completions", request);
          if (asked.id !== null) answers[tenant]?.push(asked.id);
        }
        await Promise.all([
          cross(tenant, other, "GET", `/v1/topics/${other}:feed`),
          cross(tenant, other, "POST", `/v1/topics/${other}:feed`, { data: mark }),
          cross(tenant, other, "DELETE", `/v1/topics/${other}:feed`),
          cross(tenant, other, "GET", `/v1/stream/${other}:feed?offset=-1`),
          cross(tenant, other, "POST", "/v1/topics", [
            { topic: `${tenant}:feed`, data: mark },
            { topic: `${other}:feed`, data: mark },
          ]),
          cross(tenant, other, "GET", `/v1/rooms/${other}:hall/messages`),
          cross(tenant, other, "GET", `/v1/rooms/${other}:hall/events`),
          cross(tenant, other, "POST", `/v1/rooms/${other}:hall/messages`, {
            event: "chat",
            payload: mark,
          }),
          cross(tenant, other, "POST", `/v1/rooms/${other}:hall/revocations`, {
            sub: `${other}-member`,
          }),
          ...(answers[other] ?? [])
            .slice(-2)
            .flatMap((id) => [
              cross(tenant, other, "GET", `/v1/chat/completions/${id}`),
              cross(tenant, other, "POST", `/v1/chat/completions/${id}/cancel`),
              cross(tenant, other, "DELETE", `/v1/chat/completions/${id}`),
              cross(tenant, other, "POST", `/v1/chat/completions/${id}/links`, {}),
            ]),
        ]);
        using intruder = await TokenSocket.join(
          `${worker.origin}/v1/rooms/${other}:hall`,
          await mint(can(tenant), { sub }),
        );
        if (intruder.frames.length > 0) faults.push(`${tenant} joined ${other}'s room`);
      }
      figures.received += member.payloads.length;
      if (member.payloads.some((payload) => payload !== `of-${tenant}`))
        faults.push(`${tenant} heard another's message`);
      if (member.closed !== undefined) faults.push(`${tenant} was sent away: ${member.closed}`);
    };

    await Promise.all([attack("red", "blue"), attack("blue", "red")]);
    expect([...new Set(faults)]).toEqual([]);
    const admin = await mint({ "topics/**": ["admin"] }, { sub: "boss" });
    for (const tenant of ["red", "blue"]) {
      const response = await fetch(`${worker.origin}/v1/topics/${tenant}:feed/stats`, {
        headers: { authorization: `Bearer ${admin}` },
      });
      expect(await response.json()).toMatchObject({ events: published[tenant] });
    }
    expect(figures.own).toBeGreaterThan(20);
    expect(figures.received).toBeGreaterThan(5);
    process.stdout.write(`two tenants, ${SECONDS} s: ${JSON.stringify(figures)}\n`);
  },
);
