/** Owns the question where a Worker spends its time: asks V8's sampling profiler over the inspector. */
import { figure, formatTable } from "./table.ts";

interface CallFrame {
  readonly functionName: string;
  readonly lineNumber: number;
}

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const SAMPLING_US = 100;
const SHOWN = 60;

/** Runs `work` and prints the functions of the Worker in which most time was spent. */
export async function profileWorker(inspector: URL, work: () => Promise<void>): Promise<void> {
  const socket = new WebSocket(inspector.href);
  const replies = new Map<number, (result: unknown) => void>();
  let last = 0;
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", reject, { once: true });
  });
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
    if (id !== undefined) replies.get(id)?.(result);
  });
  const call = (method: string, params: unknown = {}): Promise<unknown> =>
    new Promise((resolve) => {
      last += 1;
      replies.set(last, resolve);
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  await call("Profiler.enable");
  await call("Profiler.setSamplingInterval", { interval: SAMPLING_US });
  await call("Profiler.start");
  await work();
  const { profile } = (await call("Profiler.stop")) as { profile: Profile };
  socket.close();
  printProfile(profile);
}

function printProfile({ nodes, samples, timeDeltas }: Profile): void {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, describe(callFrame)]));
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map((c) => [c, id])));
  const self = new Map<string, number>();
  const inclusive = new Map<string, number>();
  let total = 0;
  for (const [index, id] of samples.entries()) {
    const us = timeDeltas[index] ?? 0;
    const name = names.get(id);
    if (name === undefined || name.startsWith("(idle)")) continue;
    total += us;
    add(self, name, us);
    const stack = new Set<string>();
    for (let at: number | undefined = id; at !== undefined; at = callers.get(at)) {
      stack.add(names.get(at) ?? "?");
    }
    for (const caller of stack) add(inclusive, caller, us);
  }
  const rows = [...self].toSorted(([, a], [, b]) => b - a).slice(0, SHOWN);
  const share = (us: number): string => figure((us / total) * 100, 1);
  console.log(
    formatTable(
      ["function:line of the bundle", "self ms", "%", "with callees %"],
      rows.map(([name, us]) => [
        name,
        figure(us / 1000, 1),
        share(us),
        share(inclusive.get(name) ?? 0),
      ]),
    ),
  );
}

function describe({ functionName, lineNumber }: CallFrame): string {
  return `${functionName || "(anonymous)"}:${lineNumber}`;
}

function add(sums: Map<string, number>, key: string, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}
