/** Owns the question where a Worker spends its time: asks V8's sampling profiler over the inspector. */
import { figure, formatTable } from "./table.ts";

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const SAMPLING_US = 100;
const SHOWN = 40;

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
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const spent = new Map<string, number>();
  let total = 0;
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id);
    const us = timeDeltas[index] ?? 0;
    if (frame === undefined || frame.functionName === "(idle)") continue;
    const name = `${frame.functionName || "(anonymous)"}:${frame.lineNumber}`;
    spent.set(name, (spent.get(name) ?? 0) + us);
    total += us;
  }
  const rows = [...spent].toSorted(([, a], [, b]) => b - a).slice(0, SHOWN);
  console.log(
    formatTable(
      ["function:line of the bundle", "ms", "%"],
      rows.map(([name, us]) => [name, figure(us / 1000, 1), figure((us / total) * 100, 1)]),
    ),
  );
}
