/**
 * Owns the transports that reach a connection by way of the tabs of this browser: a group for each kind of
 * connection and each identity. Refuses to know what is read.
 */
import type { Context } from "../context.ts";
import { failureOfThrown } from "../http/failure.ts";
import type { Transport } from "../transport.ts";
import { meaningOf } from "./claims.ts";
import { Group } from "./group.ts";
import { type AnyCommand, type AnyEvent, type Target, VERSION } from "./messages.ts";
import { hasTabs } from "./platform.ts";
import type { Surface } from "./seat.ts";
import { TabLink } from "./tab-link.ts";

/** How a surface goes by way of other tabs. */
export interface Carried<Resume, Event, Command> {
  readonly surface: Surface;
  /** Connections of this tab's own. */
  readonly direct: Transport<Resume, Event, Command>;
  /** What is asked of the leader. */
  readonly targetOf: (resume: Resume) => Target;
  /** Whether someone without a token has nothing to share. */
  readonly isAlone?: (resume: Resume) => boolean;
}

const groups = new WeakMap<Context, Map<string, Group>>();

/** Carries a surface over the connection of whichever tab leads. */
export function carryByTabs<Resume, Event extends AnyEvent, Command extends AnyCommand>(
  context: Context,
  { surface, direct, targetOf, isAlone }: Carried<Resume, Event, Command>,
): Transport<Resume, Event, Command> {
  if (!hasTabs()) return direct;
  return {
    open: (attempt, observer) => {
      let group: Group | undefined;
      const link: TabLink = new TabLink({
        id: crypto.randomUUID(),
        target: targetOf(attempt.resume),
        // A link is told nothing but events of what it asked for.
        observer,
        clock: context.clock,
        ask: (request) => {
          group?.ask(link.id, request);
        },
        openDirectly: (inner) => direct.open(attempt, inner),
        over: () => {
          group?.leave(link);
        },
      });
      const enter = async (): Promise<void> => {
        try {
          const token = await attempt.token();
          if (link.isOver) return;
          if (token === undefined && isAlone?.(attempt.resume) === true) {
            link.goAlone();
            return;
          }
          group = groupOf(context, surface, token);
          await group.enter(link);
        } catch (thrown) {
          link.fail(failureOfThrown(thrown));
        }
      };
      void enter();
      return link;
    },
  };
}

/** All tabs whose tokens say the same. */
function groupOf(context: Context, surface: Surface, token: string | undefined): Group {
  const { url, options } = context;
  const known = groups.get(context) ?? new Map<string, Group>();
  groups.set(context, known);
  const meaning = meaningOf(token);
  const parts = ["sluice", VERSION, surface.name, url, options.shareScope ?? "", meaning];
  const name = parts.join(" ");
  const before = known.get(name);
  if (before !== undefined) return before;
  const group = new Group(context, {
    name,
    surface,
    meaning,
    retired: () => {
      if (known.get(name) === group) known.delete(name);
    },
  });
  known.set(name, group);
  return group;
}
