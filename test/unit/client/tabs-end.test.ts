/** The end of a log that tabs share: whoever is behind gets all before it. */
import { expect, test } from "vitest";
import { TopicLine } from "../../../src/client/tabs/topic-line.ts";
import type { TopicEvent } from "../../../src/client/topic/transport.ts";
import type { Link, LinkObserver } from "../../../src/client/transport.ts";

const ENDED = { code: "ended", message: "Nothing follows.", reconnect: "no" } as const;

/** One of the line's connections, whose other end is the test. */
interface Upstream {
  readonly after: string | undefined;
  readonly observer: LinkObserver<TopicEvent>;
}

function openLine() {
  const upstreams: Upstream[] = [];
  const line = new TopicLine(({ after }, observer) => {
    upstreams.push({ after, observer });
    return { send: () => {}, probe: () => {}, close: () => {} };
  });
  const sit = (after: string | undefined, window = 10) => {
    const told: (string | undefined)[] = [];
    const link: Link<{ readonly kind: "taken"; readonly count: number }> = line.open(
      { after, from: "start", window },
      {
        opened: () => {},
        caughtUp: () => {},
        retry: () => {},
        event: ({ data }) => told.push(data),
        failed: ({ code }) => told.push(code),
      },
    );
    return { told, link };
  };
  const tell = (upstream: Upstream | undefined, ...ids: readonly number[]): void => {
    for (const id of ids) {
      upstream?.observer.event({ id: String(id), event: undefined, data: `e${id}` });
    }
  };
  return { upstreams, sit, tell };
}

test("[S7][S3] a slow tab is served to the end of a log that the others have read", async () => {
  const { upstreams, sit, tell } = openLine();
  const slow = sit(undefined, 2);
  await Promise.resolve();
  upstreams[0]?.observer.opened(true);
  tell(upstreams[0], 1, 2, 3, 4, 5);
  upstreams[0]?.observer.failed(ENDED);
  expect(slow.told).toEqual(["e1", "e2"]);
  slow.link.send({ kind: "taken", count: 2 });
  expect(slow.told).toEqual(["e1", "e2", "e3", "e4"]);
  slow.link.send({ kind: "taken", count: 2 });
  expect(slow.told).toEqual(["e1", "e2", "e3", "e4", "e5", "ended"]);
});

test("[S7][S3] a tab that comes when the log has ended gets what is kept after its position", async () => {
  const { upstreams, sit, tell } = openLine();
  const first = sit(undefined);
  await Promise.resolve();
  upstreams[0]?.observer.opened(true);
  tell(upstreams[0], 1, 2, 3);
  first.link.close();
  const late = sit("1");
  await Promise.resolve();
  expect(upstreams[1]?.after).toBe("3");
  upstreams[1]?.observer.failed(ENDED);
  expect(late.told).toEqual(["e2", "e3", "ended"]);
});
