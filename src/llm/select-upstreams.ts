/** Owns the choice between the operator's providers and the demo. Refuses to know how either answers. */
import type { Clock } from "../stream/clock.ts";
import { createDemoFetch } from "./demo/fetch.ts";
import { createUpstream, type Fetch, type Upstream, type UpstreamConfig } from "./upstream.ts";

/** Called without `this`, which the runtime insists on. */
const networkFetch: Fetch = (input, init) => fetch(input, init);

/** Clients are costly to make and hold nothing of a request: each list of settings gets its own once. */
const providers = new WeakMap<readonly UpstreamConfig[], readonly Upstream[]>();

/** The providers to try, in order; without any, the demo, through the very same client. */
export function selectUpstreams(
  configs: readonly UpstreamConfig[],
  clock: Clock,
): readonly Upstream[] {
  if (configs.length > 0) {
    const known = providers.get(configs);
    if (known !== undefined) return known;
    const made = configs.map((config, index) =>
      createUpstream(`provider-${index + 1}`, config, { clock, fetch: networkFetch }),
    );
    providers.set(configs, made);
    return made;
  }
  const address = { apiKey: "demo", baseURL: "https://demo.invalid/v1", model: undefined };
  return [createUpstream("demo", address, { clock, fetch: createDemoFetch(clock) })];
}
