/** Owns rooms as components use them: the newest messages, who is here, what waits to be sent. */
import { useMemo } from "react";
import { ClientError } from "../errors.ts";
import type { Presence, Room, RoomItem, RoomOptions } from "../room/types.ts";
import type { AnyEvents } from "../schema.ts";
import { paced } from "../paced.ts";
import type { ConnectionState, Unsubscribe } from "../state.ts";
import type { Client } from "../types.ts";
import { useClient } from "./provider.ts";
import { sharedStore } from "./registry.ts";
import { SurfaceStore } from "./surface-store.ts";
import { type Hold, useStore } from "./use-store.ts";

/** Items that are kept where a component does not say how many. */
const DEFAULT_KEEP = 200;

/** How a component uses a room. Read when the room's name or the member's changes. */
export interface UseRoomOptions<
  Events extends object = AnyEvents,
  State = unknown,
> extends RoomOptions<Events, State> {
  /** How many of the newest items are kept. Default 200. */
  readonly keep?: number;
}

/** What of a room changes. */
export interface RoomSnapshot<Events extends object, State> {
  /** The newest messages and gaps, oldest first. */
  readonly items: readonly RoomItem<Events>[];
  /** Who is here. */
  readonly presence: Presence<State>;
  /** This member's name, once the server has said it. */
  readonly member: string | undefined;
  /** Messages that wait to be sent, those on their way included. */
  readonly pending: number;
  /** Where the connection stands. */
  readonly state: ConnectionState;
}

/** What a component does in a room. These functions stay the same. */
export type RoomActions<Events extends object, State> = Pick<
  Room<Events, State>,
  "publish" | "direct" | "show" | "history"
>;

/** A room as a component sees it. */
export interface RoomView<Events extends object = AnyEvents, State = unknown>
  extends RoomSnapshot<Events, State>, RoomActions<Events, State> {}

/**
 * Joins a room while the component is mounted. Components that name the same room, and the same member,
 * share one connection, and are one member.
 */
export function useRoom<Events extends object = AnyEvents, State = unknown>(
  room: string,
  options: UseRoomOptions<Events, State> = {},
): RoomView<Events, State> {
  const [snapshot, hold] = useRoomStore<Events, State>(room, options);
  const actions = useMemo((): RoomActions<Events, State> => actionsOf(hold), [hold]);
  return { ...snapshot, ...actions };
}

/** Who is in a room; joins it, as {@link useRoom}, whose connection it shares. */
export function usePresence<State = unknown>(
  room: string,
  options: { readonly member?: string } = {},
): Presence<State> {
  const [{ presence }] = useRoomStore<AnyEvents, State>(room, options);
  return presence;
}

function useRoomStore<Events extends object, State>(
  room: string,
  options: UseRoomOptions<Events, State>,
): readonly [RoomSnapshot<Events, State>, RoomHold<Events, State>] {
  const client = useClient();
  const key = JSON.stringify(["room", room, options.member]);
  return useStore<RoomSnapshot<Events, State>, RoomStore<Events, State>>(
    () => {
      const store = sharedStore(
        client,
        key,
        (forget) => new RoomStore<Events, State>(client, room, forget),
      );
      store.configure(options);
      return store;
    },
    NOBODY,
    [client, key],
  );
}

type RoomHold<Events extends object, State> = Hold<
  RoomSnapshot<Events, State>,
  RoomStore<Events, State>
>;

function actionsOf<Events extends object, State>(
  hold: RoomHold<Events, State>,
): RoomActions<Events, State> {
  const room = (): Room<Events, State> => {
    const open = hold.store?.room;
    if (open === undefined) throw new ClientError("closed", "The component is not mounted.");
    return open;
  };
  return {
    publish: async (event, payload, options) => await room().publish(event, payload, options),
    direct: async (to, event, payload, options) => await room().direct(to, event, payload, options),
    show: (state) => {
      room().show(state);
    },
    history: async (query) => await room().history(query),
  };
}

const NOBODY = {
  items: [],
  presence: { count: 0, members: [], complete: true },
  member: undefined,
  pending: 0,
  state: { kind: "idle" },
} satisfies RoomSnapshot<AnyEvents, unknown>;

class RoomStore<Events extends object, State> extends SurfaceStore<RoomSnapshot<Events, State>> {
  readonly #client: Client;
  readonly #name: string;
  #options: UseRoomOptions<Events, State> = {};
  #room: Room<Events, State> | undefined;
  #place: { readonly after: string; readonly mail: number } | undefined;

  constructor(client: Client, name: string, forget: () => void) {
    super(NOBODY, forget);
    this.#client = client;
    this.#name = name;
  }

  /** Undefined while it is closed. */
  get room(): Room<Events, State> | undefined {
    return this.#room;
  }

  /** What a component asks for that no other has. Effects of one turn come before the room is opened. */
  configure(options: UseRoomOptions<Events, State>): void {
    this.#options = { ...options, ...this.#options };
  }

  protected override open(): Unsubscribe {
    const room = this.#client.room<Events, State>(this.#name, {
      ...this.#options,
      ...this.#place,
    });
    this.#room = room;
    const { keep = DEFAULT_KEEP } = this.#options;
    const look = (): void => {
      this.show({
        presence: room.presence.get(),
        member: room.member,
        pending: room.outbox.size.get(),
        state: room.state.get(),
      });
    };
    const undo = [room.presence, room.outbox.size, room.state].map((one) => one.onChange(look));
    room.subscribe(
      paced((news) => {
        this.show({ items: [...this.snapshot.items, ...news].slice(-keep) });
      }),
    );
    return () => {
      for (const stop of undo) stop();
      const { position, mail } = room;
      this.#place = position === undefined ? undefined : { after: position, mail };
      this.#room = undefined;
      room.close();
      this.show({ ...NOBODY, items: this.snapshot.items });
    };
  }
}
