/** Owns the door to cursors: what `sluice/yjs/awareness` exports. Refuses to know the document they are in. */
import type { Awareness } from "y-protocols/awareness";
import { isOpen } from "../connection/machine.ts";
import { contextOf } from "../context.ts";
import type { ClientOptions } from "../options.ts";
import type { Room } from "../room/types.ts";
import type { Unsubscribe } from "../state.ts";
import { OtherStates } from "./other-states.ts";
import { OwnState } from "./own-state.ts";

/** What of an awareness has changed. */
interface Changes {
  readonly added: readonly number[];
  readonly updated: readonly number[];
  readonly removed: readonly number[];
}

/**
 * Shows everyone in the room what this program's awareness says (its user, its cursor), and tells the awareness what the others
 * show, as long as they are present. It is the room's presence: whoever calls this calls `room.show` no more, and puts
 * what else is to be shown into the awareness.
 *
 * At most 10 states are shown a second, each at most 1,024 bytes as MessagePack; a larger one is not shown, and the one before stays:
 * the first of a run surfaces as an uncaught `ClientError` `state_too_large`. Joins nothing: whoever opens a document
 * or reads the room does. It ends with the room or the awareness, or when the returned function is called.
 *
 * @param options the options of the client, for its clock; may be left out.
 */
export function shareAwareness<Events extends object, State>(
  room: Room<Events, State>,
  awareness: Awareness,
  options: ClientOptions = { url: "" },
): Unsubscribe {
  const { clock } = contextOf(options);
  const own = new OwnState(clock, room as unknown as Room, awareness);
  const others = new OtherStates(clock, awareness);
  const undo: Unsubscribe[] = [];
  let wasOpen = false;

  const stop = (): void => {
    for (const each of undo.splice(0)) each();
  };
  // Not the renewals every 15 s, which change nothing and would keep a sleeping room awake.
  const change = ({ added, updated, removed }: Changes): void => {
    if ([added, updated, removed].some((ids) => ids.includes(awareness.clientID))) own.changed();
  };
  const look = (): void => {
    others.take(room.presence.get());
  };
  const watch = (): void => {
    const state = room.state.get();
    // Once: each attempt would make it younger.
    if (wasOpen && !isOpen(state)) others.lose();
    wasOpen = isOpen(state);
    if (state.kind === "closed") stop();
  };

  awareness.on("change", change);
  awareness.on("destroy", stop);
  undo.push(
    () => {
      awareness.off("change", change);
      awareness.off("destroy", stop);
    },
    room.presence.onChange(look),
    room.state.onChange(watch),
    () => {
      own.stop();
    },
    () => {
      others.stop();
    },
  );
  own.changed();
  look();
  watch();
  return stop;
}
