/** What members say over sockets counts against their quotas, too (E2, W4). */
import { expect, test } from "vitest";
import { sendRequest } from "../support/send-request.ts";
import { SpecClient } from "../support/spec-client.ts";
import { startWorker } from "../support/start-worker.ts";
import { until } from "../support/until.ts";

test("[E2][W4] what members say over sockets counts, soon after it is said", async () => {
  // Set by name, a quota counts on this machine, too.
  await using local = await startWorker({ QUOTA_PUBLISHES_PER_DAY: "150" });
  using client = new SpecClient({ origin: () => local.origin, room: "chatty", member: "alice" });
  await until("the member to be there", () => client.isJoined);
  const said = Array.from({ length: 200 }, (_, n) => client.publish("said", n));
  for (const one of said) one.catch(() => {});
  await Promise.all(said.slice(0, 150));
  // What was said is counted within two seconds; from then on, nothing passes.
  await until("a refusal", () => {
    if (client.unanswered < 50) client.publish("said", 0).catch(() => {});
    return client.errors.some(({ code }) => code === "quota_exceeded");
  });
  const over = await sendRequest({
    port: local.port,
    method: "POST",
    path: "/v1/rooms/chatty/messages",
    headers: {},
    body: JSON.stringify(Array.from({ length: 30 }, () => ({ event: "a", payload: 1 }))),
  });
  expect([over.status, over.body["quota"]]).toEqual([429, "subject-publishes"]);
});
