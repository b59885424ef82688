/**
 * Owns a network that harms each connection by a plan: late, cut at a byte, reset, or silent for ever.
 * Bytes never change their order. Refuses to understand what passes.
 */
import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { SeededRandom } from "./seeded-random.ts";

/** What becomes of one connection. `after` counts the bytes of the direction `way` that still pass. */
export type Fault =
  | { readonly kind: "none" }
  /** Everything comes in small pieces, each so many milliseconds late. */
  | { readonly kind: "late"; readonly ms: number }
  /** Ends properly (`cut`) or with a reset on both sides. */
  | { readonly kind: "cut" | "reset"; readonly way: Way; readonly after: number }
  /** Stays open, but nothing gets through any more; neither side is told of the other's end. */
  | { readonly kind: "swallow"; readonly way: Way | "both"; readonly after: number };

type Way = "up" | "down";

/** A bad network before a port of this machine. */
export interface ChaosProxy extends AsyncDisposable {
  readonly origin: string;
  /** Whether the client can only wait: nobody owes it an answer, or who does will not be heard. */
  readonly isHopeless: boolean;
}

/** A fault that a connection may have. */
export function drawFault(random: SeededRandom): Fault {
  const after = random.pick([
    // In the request or the head of its answer, soon after, and far into it.
    random.between(0, 300),
    random.between(150, 1500),
    random.between(300, 4000),
    random.between(1000, 20_000),
  ]);
  const way = random.pick(["up", "down", "down"] as const);
  switch (random.pick(["late", "cut", "cut", "reset", "reset", "swallow"] as const)) {
    case "late":
      return { kind: "late", ms: random.between(0, 3) };
    case "cut":
      return { kind: "cut", way, after };
    case "reset":
      return { kind: "reset", way, after };
    case "swallow":
      return { kind: "swallow", way: random.pick(["up", "down", "both"] as const), after };
  }
}

/** Opens a proxy before a port. @param plan gives each new connection its fault. */
export async function openChaosProxy(port: number, plan: () => Fault): Promise<ChaosProxy> {
  const connections = new Set<Connection>();
  const server = createServer({ noDelay: true }, (inner) => {
    const outer = connect({ port, host: "127.0.0.1", noDelay: true });
    const connection = new Connection(inner, outer, plan());
    connections.add(connection);
    void connection.run();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${address.port}`,
    get isHopeless() {
      for (const { hasClient, isSilent, isOwed } of connections) {
        if (hasClient && isOwed && !isSilent) return false;
      }
      return true;
    },
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

class Connection {
  readonly #inner: Socket;
  readonly #outer: Socket;
  readonly #fault: Fault;
  readonly #passed = { up: 0, down: 0 };
  /** Whether something is swallowed. */
  isSilent = false;
  /** Whether the client has spoken last. */
  isOwed = false;

  constructor(inner: Socket, outer: Socket, fault: Fault) {
    this.#inner = inner;
    this.#outer = outer;
    this.#fault = fault;
    for (const socket of [inner, outer]) socket.on("error", () => {});
  }

  get hasClient(): boolean {
    return !this.#inner.destroyed;
  }

  async run(): Promise<void> {
    await Promise.all([
      this.#pump(this.#inner, this.#outer, "up"),
      this.#pump(this.#outer, this.#inner, "down"),
    ]);
  }

  destroy(): void {
    this.#inner.destroy();
    this.#outer.destroy();
  }

  /** Carries one direction to its end. Reads no faster than the other side takes. */
  async #pump(from: Socket, to: Socket, way: Way): Promise<void> {
    try {
      for await (const bytes of from as AsyncIterable<Buffer>) {
        if (way === "up") this.isOwed = true;
        for (const piece of this.#pieces(bytes)) {
          if (this.#fault.kind === "late") await pause(this.#fault.ms);
          if (!(await this.#pass(piece, to, way))) return;
        }
        if (way === "down") this.isOwed = false;
      }
    } catch {
      // Broken off, as its plan or its peer wanted.
    }
    // Of a connection that fell silent, neither side hears anything, its end included.
    if (!this.isSilent) to.end();
  }

  #pieces(bytes: Buffer): readonly Buffer[] {
    if (this.#fault.kind !== "late") return [bytes];
    const size = Math.max(1, Math.ceil(bytes.length / 4));
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    return pieces;
  }

  /** Lets through what may pass. @returns whether there is a connection after it. */
  async #pass(bytes: Buffer, to: Socket, way: Way): Promise<boolean> {
    const fault = this.#fault;
    const isHarmed =
      fault.kind !== "none" &&
      fault.kind !== "late" &&
      (fault.way === way || fault.way === "both") &&
      this.#passed[way] + bytes.length > fault.after;
    const allowed = isHarmed ? Math.max(0, fault.after - this.#passed[way]) : bytes.length;
    this.#passed[way] += bytes.length;
    if (allowed > 0 && !to.write(bytes.subarray(0, allowed))) await drained(to);
    if (!isHarmed) return !to.destroyed;
    if (fault.kind === "swallow") {
      this.isSilent = true;
      return true;
    }
    if (fault.kind === "reset") {
      this.#inner.resetAndDestroy();
      this.#outer.resetAndDestroy();
    } else {
      this.#inner.end();
      this.#outer.end();
    }
    return false;
  }
}

/** Resolves when more may be written, or when that will never be. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      socket.off("drain", go).off("close", go);
      resolve();
    };
    socket.on("drain", go).on("close", go);
  });
}
