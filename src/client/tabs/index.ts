/**
 * Owns the door to sharing: what `sluice/client/tabs` exports. All tabs of a browser read over the
 * connections of one of them. Refuses to know what is read.
 */
import { type Context, contextOf } from "../context.ts";
import { failureOfThrown } from "../http/failure.ts";
import type { ClientOptions } from "../options.ts";
import { socketRoom } from "../room/socket-transport.ts";
import type { RoomCommand, RoomEvent, RoomResume, RoomTransport } from "../room/transport.ts";
import { fetchTopics } from "../topic/fetch-transport.ts";
import type { TopicTransport } from "../topic/transport.ts";
import type { Attempt, LinkObserver, Transport } from "../transport.ts";
import { meaningOf } from "./claims.ts";
import { Group } from "./group.ts";
import { type AnyCommand, type AnyEvent, type Target, VERSION } from "./messages.ts";
import { TabLink } from "./tab-link.ts";

/** What is shared, and with whom. */
export interface TabsOptions {
  /** Tabs with the same share. By default all of this origin whose tokens say the same. */
  readonly scope?: string;
  /** Whether to share a topic (by its first name) or a room; what is not has a connection in each tab. */
  readonly share?: (surface: "topic" | "room", name: string) => boolean;
}

/**
 * Options of a client whose topics and rooms share their connections with all tabs of this browser. Where
 * the browser has no Web Locks or no BroadcastChannel, each tab has its own, as without this.
 */
export function sharedByTabs(
  options: ClientOptions,
  { scope = "", share = () => true }: TabsOptions = {},
): ClientOptions {
  if (!isSupported()) return options;
  const groups = new Map<string, Group>();
  const groupOf = (token: string | undefined): Group => {
    const context = contextOf(shared);
    const name = ["sluice", VERSION, context.url, scope, meaningOf(token)].join(" ");
    const known = groups.get(name);
    if (known !== undefined) return known;
    const group = new Group(context, name, () => {
      groups.delete(name);
    });
    groups.set(name, group);
    return group;
  };
  const shared: ClientOptions = {
    ...options,
    transports: {
      topic: (topics): TopicTransport => {
        const direct = fetchTopics(contextOf(shared), topics);
        if (!share("topic", topics[0] ?? "")) return direct;
        return transportOf(contextOf(shared), groupOf, direct, (resume) => ({
          surface: "topic",
          topics,
          resume,
        }));
      },
      room: (room): RoomTransport => {
        const direct = socketRoom(contextOf(shared), room);
        if (!share("room", room)) return direct;
        return transportOf<RoomResume, RoomEvent, RoomCommand>(
          contextOf(shared),
          groupOf,
          direct,
          (resume) => ({ surface: "room", room, resume }),
        );
      },
    },
  };
  return shared;
}

function transportOf<Resume, Event extends AnyEvent, Command extends AnyCommand>(
  { clock }: Context,
  groupOf: (token: string | undefined) => Group,
  direct: Transport<Resume, Event, Command>,
  targetOf: (resume: Resume) => Target,
): Transport<Resume, Event, Command> {
  return {
    open: (attempt, observer) => {
      // A link is told nothing but events of what it asked for.
      const told = observer as unknown as LinkObserver<AnyEvent>;
      let group: Group | undefined;
      const link: TabLink = new TabLink({
        id: crypto.randomUUID(),
        target: targetOf(attempt.resume),
        observer: told,
        clock,
        ask: (request) => {
          group?.ask(link.id, request);
        },
        openDirectly: (inner) => direct.open(attempt, inner),
        over: () => {
          group?.leave(link);
        },
      });
      void enter(attempt, link, (token) => (group = groupOf(token)));
      return link;
    },
  };
}

async function enter(
  { token }: Attempt<unknown>,
  link: TabLink,
  groupOf: (token: string | undefined) => Group,
): Promise<void> {
  try {
    const shown = await token();
    if (!link.isOver) await groupOf(shown).enter(link);
  } catch (thrown) {
    link.fail(failureOfThrown(thrown));
  }
}

function isSupported(): boolean {
  const { BroadcastChannel, navigator } = globalThis as unknown as {
    readonly BroadcastChannel?: unknown;
    readonly navigator?: { readonly locks?: unknown };
  };
  return BroadcastChannel !== undefined && navigator?.locks !== undefined;
}
