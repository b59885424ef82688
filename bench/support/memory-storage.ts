/** Owns a folder in memory for what objects store, where the machine has such a file system. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";

/** A file system in memory, where there is one. */
export const MEMORY = "/dev/shm";

/** A folder that is deleted when it is no longer used. */
interface MemoryStorage extends Disposable {
  readonly path: string;
}

/** A new folder in memory; undefined where there is no such file system. */
export function openMemoryStorage(): MemoryStorage | undefined {
  if (!existsSync(MEMORY)) return undefined;
  const path = mkdtempSync(`${MEMORY}/sluice-bench-`);
  return {
    path,
    [Symbol.dispose]() {
      rmSync(path, { recursive: true });
    },
  };
}
