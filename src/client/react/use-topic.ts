/** Owns topics as components read them: the newest items, and where the connection stands. */
import { useMemo } from "react";
import type { AnyEvents, EventName } from "../schema.ts";
import { paced } from "../paced.ts";
import type { ConnectionState, Unsubscribe } from "../state.ts";
import type { Topic, TopicItem, TopicOptions, TopicReceipt } from "../topic/types.ts";
import type { Client } from "../types.ts";
import { useClient } from "./provider.ts";
import { sharedStore } from "./registry.ts";
import { SurfaceStore } from "./surface-store.ts";
import { useStore } from "./use-store.ts";

/** Items that are kept where a component does not say how many. */
const DEFAULT_KEEP = 100;

/** How a component reads a topic. Read when its name changes, and by the first component that reads it. */
export interface UseTopicOptions<Events extends object = AnyEvents> extends TopicOptions<Events> {
  /** How many of the newest items are kept. Default 100. */
  readonly keep?: number;
}

/** What of a topic changes. */
export interface TopicSnapshot<Events extends object> {
  /** The newest items, oldest first. */
  readonly items: readonly TopicItem<Events>[];
  /** Where the connection stands. */
  readonly state: ConnectionState;
}

/** A topic as a component sees it. */
export interface TopicView<Events extends object = AnyEvents> extends TopicSnapshot<Events> {
  /** Publishes to the (first) topic, as {@link Topic.publish}. The function stays the same. */
  readonly publish: <Name extends EventName<Events>>(
    event: Name,
    data: Events[Name],
    options?: { readonly id?: string },
  ) => Promise<TopicReceipt>;
}

/**
 * Reads a topic, or several over one connection, while the component is mounted. Components that read
 * the same with the same options share one connection; items come at the pace of frames.
 */
export function useTopic<Events extends object = AnyEvents>(
  topic: string | readonly string[],
  options: UseTopicOptions<Events> = {},
): TopicView<Events> {
  const client = useClient();
  const { from, after, format, keep = DEFAULT_KEEP } = options;
  const key = JSON.stringify(["topic", topic, from, after, format, keep]);
  const [snapshot] = useStore<TopicSnapshot<Events>, TopicStore<Events>>(
    () =>
      sharedStore(
        client,
        key,
        (forget) => new TopicStore<Events>(client, { topic, options, keep }, forget),
      ),
    NOTHING,
    [client, key],
  );
  // Publishing needs no connection, and so no mounted component.
  const publish = useMemo(
    (): TopicView<Events>["publish"] => async (event, data, how) => {
      const publisher = client.topic<Events>(topic);
      try {
        return await publisher.publish(event, data, how);
      } finally {
        publisher.close();
      }
    },
    [client, key],
  );
  return { ...snapshot, publish };
}

const NOTHING = { items: [], state: { kind: "idle" } } satisfies TopicSnapshot<AnyEvents>;

class TopicStore<Events extends object> extends SurfaceStore<TopicSnapshot<Events>> {
  readonly #make: (after: string | undefined) => Topic<Events>;
  readonly #keep: number;
  /** After the last item that is shown, or is about to be. */
  #position: string | undefined;

  constructor(
    client: Client,
    {
      topic,
      options,
      keep,
    }: {
      readonly topic: string | readonly string[];
      readonly options: TopicOptions<Events>;
      readonly keep: number;
    },
    forget: () => void,
  ) {
    super(NOTHING, forget);
    this.#keep = keep;
    this.#make = (after) =>
      client.topic<Events>(topic, after === undefined ? options : { ...options, after });
  }

  protected override open(): Unsubscribe {
    const topic = this.#make(this.#position);
    const stopWatching = topic.state.onChange(() => {
      this.show({ state: topic.state.get() });
    });
    topic.subscribe(
      paced((news) => {
        this.show({ items: [...this.snapshot.items, ...news].slice(-this.#keep) });
      }),
    );
    return () => {
      stopWatching();
      this.#position = topic.position;
      topic.close();
      this.show({ state: { kind: "idle" } });
    };
  }
}
