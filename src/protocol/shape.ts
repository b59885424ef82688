/** Owns the types of decoded fields. Refuses to know which frame they stand in. */
import { UnpackError } from "./unpack.ts";

/** A string. */
export function text(value: unknown): string {
  if (typeof value !== "string") throw new UnpackError();
  return value;
}

/** A whole number from 0 to 2^53 - 1. */
export function count(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw new UnpackError();
  }
  return value;
}

/** A boolean. */
export function flag(value: unknown): boolean {
  if (typeof value !== "boolean") throw new UnpackError();
  return value;
}

/** An array. */
export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new UnpackError();
  return value;
}

/** A map. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UnpackError();
  }
  return value as Record<string, unknown>;
}
