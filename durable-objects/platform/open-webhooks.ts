/** Owns what webhooks get of the platform, the same for every object. Refuses to know what they tell. */
import { systemClock } from "../../src/stream/clock.ts";
import { readWebhookSettings } from "../webhook/settings.ts";
import { Webhooks } from "../webhook/webhooks.ts";
import type { ObjectKind } from "./report.ts";
import { unlessRefused } from "./unless-refused.ts";

/** The webhooks of an object. */
export function openWebhooks(ctx: DurableObjectState, env: object, object: ObjectKind): Webhooks {
  const read = unlessRefused(
    () => ({ settings: readWebhookSettings(env as Readonly<Record<string, unknown>>) }),
    object,
  );
  return new Webhooks({
    sql: ctx.storage.sql,
    clock: systemClock,
    random: () => Math.random(),
    newId: () => crypto.randomUUID(),
    fetch: (address, init) => fetch(address, init),
    settings: read === undefined ? "refused" : read.settings,
    dropped: (count) => {
      // oxlint-disable-next-line no-console -- the platform's log is the console
      console.log(JSON.stringify({ level: "warn", event: "webhook.dropped", count }));
    },
  });
}

/** The earlier of two times, either of which may be never. */
export function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}
