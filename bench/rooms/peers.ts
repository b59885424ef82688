/** Owns the list of who is compared, how each is started, and where its rooms are. */
import { type ServingChild, startServing } from "../support/child.ts";
import { openMemoryStorage } from "../support/memory-storage.ts";
import { type RunningWorkers, type WorkerSource, startWorkers } from "../support/workers.ts";
import type { Room } from "./crowd.ts";
import { PingingMember, PlainMember, SocketIoMember } from "./plain-members.ts";
import { SluiceMember } from "./sluice-member.ts";

export type PeerName =
  | "Sluice"
  | "PartyServer"
  | "bare object"
  | "ws"
  | "Socket.IO"
  | "bare object that stores"
  | "Sluice, storage in memory";

/** Someone who has rooms. */
export interface Peer {
  readonly name: PeerName;
  readonly room: (name: string) => Room;
  /** The process that serves it; undefined where it cannot be told. */
  readonly pid: number | undefined;
  /** What the server says of a room; undefined where it says nothing. */
  readonly stats: (room: string) => Promise<Readonly<Record<string, number>> | undefined>;
  /** The inspector's address; undefined where there is none. */
  readonly inspector: (() => Promise<URL>) | undefined;
}

/** Peers that run. */
interface RunningPeers extends AsyncDisposable {
  readonly peers: readonly Peer[];
}

/** In the order in which the tables show them. */
export const PEER_NAMES: readonly PeerName[] = [
  "Sluice",
  "PartyServer",
  "bare object",
  "ws",
  "Socket.IO",
];

/** Who is there to tell where delay comes from, and takes no part in anything else. */
export const DELAY_PEER_NAMES: readonly PeerName[] = [
  "bare object that stores",
  "Sluice, storage in memory",
];

/** The rates are raised above what a benchmark reaches; everything else is as it comes. */
const ROOM_CLASSES = JSON.stringify({
  default: { messagesPerSecond: 1e6, bytesPerSecond: 1e9, joinsPerSecond: 1e6 },
});

const OURS: WorkerSource = {
  name: "sluice",
  entry: "src/index.ts",
  vars: { ROOM_CLASSES },
  objects: { ROOMS: "RoomObject" },
};

const WORKERS: readonly (WorkerSource & { readonly peer: PeerName })[] = [
  { ...OURS, peer: "Sluice" },
  {
    peer: "PartyServer",
    name: "party-server",
    entry: "bench/peers/rooms/party-server.ts",
    vars: {},
    objects: { ROOMS: "Rooms" },
  },
  {
    peer: "bare object",
    name: "bare",
    entry: "bench/peers/rooms/bare.ts",
    vars: {},
    objects: { ROOMS: "BareRoom" },
  },
  {
    peer: "bare object that stores",
    name: "bare-stored",
    entry: "bench/peers/rooms/bare-stored.ts",
    vars: {},
    objects: { ROOMS: "StoringRoom" },
  },
];

/** Starts peers: those on Workers in one workerd process, each of the others in one of its own. */
export async function startPeers(names: readonly PeerName[]): Promise<RunningPeers> {
  await using started = new AsyncDisposableStack();
  const sources = WORKERS.filter(({ peer }) => names.includes(peer));
  const workers = sources.length === 0 ? undefined : started.use(await startWorkers(sources));
  const child = async (name: PeerName, module: string): Promise<ServingChild | undefined> =>
    names.includes(name)
      ? started.use(await startServing(new URL(module, import.meta.url)))
      : undefined;
  const ws = await child("ws", "ws-server.ts");
  const socketIo = await child("Socket.IO", "socket-io-server.ts");
  const peers = [
    ...sources.map((source) => workerPeer(source, workers)),
    ...(ws === undefined ? [] : [nodePeer("ws", ws)]),
    ...(socketIo === undefined ? [] : [nodePeer("Socket.IO", socketIo)]),
  ];
  const wantsMemory = names.includes("Sluice, storage in memory");
  const storage = wantsMemory ? openMemoryStorage() : undefined;
  if (storage !== undefined) {
    started.use(storage);
    const inMemory = started.use(await startWorkers([OURS], storage.path));
    peers.push(workerPeer({ ...OURS, peer: "Sluice, storage in memory" }, inMemory));
  }
  const rest = started.move();
  return { peers, [Symbol.asyncDispose]: async () => await rest.disposeAsync() };
}

function workerPeer(
  { peer, name }: (typeof WORKERS)[number],
  workers: RunningWorkers | undefined,
): Peer {
  if (workers === undefined) throw new Error("No Worker was started.");
  const base = workers.address(name);
  const isOurs = name === OURS.name;
  const path = isOurs ? "/v1/rooms/" : peer === "PartyServer" ? "/parties/rooms/" : "/";
  return {
    name: peer,
    pid: workers.pid,
    inspector: async () => await workers.inspector(name),
    room: (room) => ({
      url: new URL(path + room, base),
      subprotocol: isOurs ? "sluice.v1" : undefined,
      confirms: isOurs,
      createMember: (seat, events) =>
        isOurs
          ? new SluiceMember(seat, events)
          : peer === "PartyServer"
            ? new PlainMember(seat, events)
            : new PingingMember(seat, events),
    }),
    stats: async (room) => {
      if (!isOurs) return undefined;
      const response = await fetch(new URL(`${path}${room}/stats`, base));
      return (await response.json()) as Readonly<Record<string, number>>;
    },
  };
}

function nodePeer(name: "ws" | "Socket.IO", { port, pid }: ServingChild): Peer {
  return {
    name,
    pid,
    inspector: undefined,
    room: (room) => ({
      url:
        name === "ws"
          ? new URL(`http://127.0.0.1:${port}/${room}`)
          : new URL(
              `http://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket&room=${encodeURIComponent(room)}`,
            ),
      subprotocol: undefined,
      confirms: false,
      createMember: (seat, events) =>
        name === "ws" ? new PlainMember(seat, events) : new SocketIoMember(seat, events),
    }),
    stats: () => Promise.resolve(undefined),
  };
}
