/**
 * Owns the questions how much processor time and memory another process uses. Answers on Linux only;
 * the time from the scheduler's own count: it is exact, where `utime` counts in ticks of 10 ms.
 */
import { readFileSync, readdirSync } from "node:fs";

/** The processes of this name that this process has started; none where it cannot be told. */
export function findChildren(name: string): readonly number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    const stat = readOrUndefined(`/proc/${entry}/stat`);
    const match = /^\d+ \((.*)\) \S (\d+) /.exec(stat ?? "");
    return match?.[1] === name && Number(match[2]) === process.pid ? [Number(entry)] : [];
  });
}

/** Milliseconds of processor time used so far by all threads of a process; `NaN` where it cannot be told. */
export function cpuTime(pid: number | undefined): number {
  if (pid === undefined) return Number.NaN;
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const stat = readOrUndefined(`/proc/${pid}/task/${thread}/schedstat`);
    if (stat !== undefined) nanoseconds += Number(stat.split(" ")[0]);
  }
  return nanoseconds / 1e6;
}

/** Bytes of memory that a process holds now; `NaN` where it cannot be told. */
export function residentBytes(pid: number | undefined): number {
  const status = pid === undefined ? undefined : readOrUndefined(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status ?? "")?.[1] ?? Number.NaN) * 1024;
}

/** Processes and threads may be gone between being listed and being read. */
function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
